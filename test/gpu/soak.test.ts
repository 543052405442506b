/** Memory stays flat: the short form of `npm run test:soak`. */
import * as assert from 'uvu/assert';
import { soak } from '../soak/soak.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('soak');

test('after 100 steps the GPU holds what it held after 10', async () => {
  const held = await soak(gpu(), 100, () => 0);
  assert.is(held.length, 20);
  for (const { step, deviceBytes, liveBuffers } of held) {
    assert.equal([deviceBytes, liveBuffers], [held[0].deviceBytes, held[0].liveBuffers], `step ${step}`);
  }
});

test.run();
