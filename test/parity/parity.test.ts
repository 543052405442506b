/**
 * Parity with PyTorch: every fixture of test/fixtures (made by tools/oracle) and of the folder ROMO_FIXTURES (default
 * ../shared/fixtures) is one test. If that folder is missing, a message says so; a fixture of an unknown op fails.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { readFixture } from '../support/fixture.ts';
import { convert } from './convert.ts';
import { models } from './models.ts';
import { type Handler, ops } from './ops.ts';
import { stages } from './stages.ts';
import { training } from './training.ts';

const test = suite('parity');
const own = resolve('test/fixtures');
const more = resolve(process.env.ROMO_FIXTURES ?? '../shared/fixtures');
const handlers: Readonly<Record<string, Handler>> = { ...ops, ...training, ...models, ...stages, ...convert };

let gpu: Gpu;
test.before(async () => {
  gpu = await openDevice();
});
test.after(() => gpu?.close());

function testFolder(folder: string): void {
  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
  if (files.length === 0) throw new Error(`${folder} holds no fixtures`);
  for (const file of files.sort()) {
    test(join(folder, file), async () => {
      const fixture = readFixture(join(folder, file));
      if (!Object.hasOwn(handlers, fixture.op)) {
        throw new Error(`${file} has the unknown op "${fixture.op}"; known: ${Object.keys(handlers).join(', ')}`);
      }
      using _ = gpu.scope();
      await handlers[fixture.op](gpu, fixture);
    });
  }
}

testFolder(own);
if (existsSync(more)) testFolder(more);
else if (process.env.ROMO_FIXTURES) throw new Error(`ROMO_FIXTURES names ${more}, which is missing`);
else console.log(`parity: only ${own}; ROMO_FIXTURES may name a folder with more`);

test.run();
