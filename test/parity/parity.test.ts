/**
 * Parity with PyTorch: every fixture of the folder ROMO_FIXTURES (default ../shared/fixtures) is one test. Without the folder the
 * tests are skipped, and say so; a fixture of an unknown op fails.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { readFixture } from '../support/fixture.ts';
import { models } from './models.ts';
import { type Handler, ops } from './ops.ts';
import { training } from './training.ts';

const test = suite('parity');
const folder = resolve(process.env.ROMO_FIXTURES ?? '../shared/fixtures');
const handlers: Readonly<Record<string, Handler>> = { ...ops, ...training, ...models };

if (existsSync(folder)) {
  let gpu: Gpu;
  test.before(async () => {
    gpu = await openDevice();
  });
  test.after(() => gpu?.close());

  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
  if (files.length === 0) throw new Error(`${folder} holds no fixtures`);
  for (const file of files.sort()) {
    test(file, async () => {
      const fixture = readFixture(join(folder, file));
      if (!Object.hasOwn(handlers, fixture.op)) {
        throw new Error(`${file} has the unknown op "${fixture.op}"; known: ${Object.keys(handlers).join(', ')}`);
      }
      using _ = gpu.scope();
      await handlers[fixture.op](gpu, fixture);
    });
  }
} else {
  console.log(`parity: ${folder} is missing, so these tests are skipped. Set ROMO_FIXTURES to the folder of fixtures.`);
  test.skip('fixtures');
}

test.run();
