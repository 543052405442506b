/** Reports of steps: in order and complete, and more steps are queued ahead only where reading from the GPU is slow. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { trainSsm } from '../../src/romo/method/ssm.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('reports');

/** Trains 40 steps. @returns the order of the reports, the most steps that began before an earlier one was reported, the parameters */
async function train(): Promise<{ reported: number[]; ahead: number; head: Float32Array }> {
  const config: Config = { ...structuredClone(PRESETS.tiny), train: 40, test: 10, batch: 4, clusters: 4 };
  Object.assign(config.ssm, { epochs: 4 });
  const reported: number[] = [];
  let begun = 0;
  let ahead = 0;
  const model = await trainSsm(gpu(), trainingData(await openShapes(config)), config, {
    beforeStep: async () => {
      begun++;
      ahead = Math.max(ahead, begun - reported.length);
    },
    onStep: ({ step }) => reported.push(step),
  });
  const head = await model.imageHead.weight.readFloats();
  model.dispose();
  return { reported, ahead, head };
}

test('a slow read lets more steps be queued, at most 16, with the same reports and the same bits', async () => {
  const inOrder = Array.from({ length: 40 }, (_, i) => i + 1);
  const { queue } = gpu();
  const { read } = queue;
  let isFirst = true;
  queue.read = async (...range) => {
    if (!isFirst || range[2] !== 12) return read.call(queue, ...range);
    isFirst = false; // the read of a report that is timed: at once, however busy this machine is
    return new ArrayBuffer(12);
  };
  const fast = await train();
  queue.read = read;
  assert.equal(fast.reported, inOrder);
  assert.ok(fast.ahead <= 3, `${fast.ahead} steps ahead`);
  queue.read = async (...range) => {
    const bytes = await read.call(queue, ...range);
    await new Promise((resolve) => setTimeout(resolve, 60)); // as Firefox, which looks every 100 ms
    return bytes;
  };
  try {
    const slow = await train();
    assert.equal(slow.reported, inOrder);
    assert.ok(slow.ahead > 3 && slow.ahead <= 17, `${slow.ahead} steps ahead`);
    assert.equal(slow.head, fast.head);
  } finally {
    queue.read = read;
  }
});

test.run();
