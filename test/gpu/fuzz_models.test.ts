/** Damaged model files: each gives encoders or an error, and leaks no memory. */
import * as assert from 'uvu/assert';
import { PRESETS } from '../../src/romo/config.ts';
import { encodeModels, loadEncoders } from '../../src/romo/run/model_file.ts';
import { emptyModels } from '../../src/romo/run/run.ts';
import { attack, numbersReplaced, survives } from '../support/damage.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('fuzz: models');
const config = PRESETS.tiny;
const HEADER = 4000; // bytes: the configuration, and the shapes of some tensors

test('damaged models', async () => {
  const good = await encodeModels(emptyModels(gpu(), config, 1), config);
  const { liveBytes } = gpu().memory();
  const read = (bytes: Uint8Array) => loadEncoders(gpu(), bytes, 'm.st').encoders.dispose();
  await attack(good, 40, read, ['file', 'state-dict']);
  for (const bytes of numbersReplaced(good.subarray(0, HEADER))) {
    await survives(Buffer.concat([bytes, good.subarray(HEADER)]), read, ['file', 'state-dict']);
  }
  assert.is(gpu().memory().liveBytes, liveBytes);
});

test.run();
