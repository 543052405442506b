/** A recorded step: the same bits as the step itself, and no new GPU objects after recording. */
import * as assert from 'uvu/assert';
import { add, scale } from '../../src/autograd/pointwise.ts';
import { Replay } from '../../src/tensor/replay.ts';
import { gpuSuite } from '../support/gpu.ts';
import { TinyTraining } from '../support/tiny_training.ts';

const { test, gpu } = gpuSuite('replay');
const STEPS = 12;

async function eager(): Promise<{ losses: number[]; state: number[] }> {
  const training = new TinyTraining(gpu());
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    training.load(step);
    const loss = training.step();
    losses.push((await loss.readFloats())[0]);
    loss.dispose();
  }
  const state = await training.state();
  training.dispose();
  return { losses, state };
}

/** Counts the buffers and bind groups that are created while `body` runs. */
async function creations(body: () => Promise<void>): Promise<{ buffers: number; groups: number }> {
  const { device } = gpu();
  const counts = { buffers: 0, groups: 0 };
  const { createBuffer, createBindGroup } = device;
  device.createBuffer = (descriptor) => {
    counts.buffers++;
    return createBuffer.call(device, descriptor);
  };
  device.createBindGroup = (descriptor) => {
    counts.groups++;
    return createBindGroup.call(device, descriptor);
  };
  try {
    await body();
    return counts;
  } finally {
    device.createBuffer = createBuffer;
    device.createBindGroup = createBindGroup;
  }
}

test('equals the eager steps bit for bit, and the eager steps equal themselves', async () => {
  const first = await eager();
  assert.equal(await eager(), first);
  assert.is.not(first.losses[0], first.losses[1]);

  const training = new TinyTraining(gpu());
  const { replay, result: loss } = await Replay.record(gpu(), () => training.step());
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    training.load(step);
    replay.run();
    losses.push((await loss.readFloats())[0]);
  }
  assert.equal(losses, first.losses);
  assert.equal(await training.state(), first.state);
  replay.dispose();
  training.dispose();
});

test('a run whose loss is read creates no buffer, no bind group and no tensor', async () => {
  const training = new TinyTraining(gpu());
  const { replay, result: loss } = await Replay.record(gpu(), () => training.step());
  const read = () => loss.readFloats();
  assert.ok(replay.launches.length > 20);
  training.load(0);
  replay.run();
  await read();
  const [memory, own] = [gpu().memory(), replay.memory()];
  const created = await creations(async () => {
    for (let step = 0; step < 20; step++) {
      training.load(step);
      replay.run();
      await read();
    }
  });
  assert.equal(created, { buffers: 0, groups: 0 });
  assert.equal(gpu().memory(), memory);
  assert.equal(replay.memory(), own);
  replay.dispose();
  training.dispose();
});

test('several runs in one submit are run in order', async () => {
  const x = gpu().tensor([1], [1]);
  const { replay, result } = await Replay.record(gpu(), () => add(x, x));
  for (const value of [3, 5]) {
    x.write([value]);
    replay.run();
  }
  const after = scale(result, 10);
  assert.equal([...(await result.readFloats())], [10]);
  assert.equal([...(await after.readFloats())], [100]);
  replay.dispose();
  x.dispose();
  after.dispose();
});

test('zeros are cleared in each run', async () => {
  const { device } = gpu();
  const { replay, result: tensor } = await Replay.record(gpu(), () => gpu().zeros([4]));
  for (let run = 0; run < 2; run++) {
    device.queue.writeBuffer(tensor.storage.buffer, 0, Float32Array.of(9, 9, 9, 9));
    replay.run();
    assert.equal([...(await tensor.readFloats())], [0, 0, 0, 0]);
  }
  replay.dispose();
});

test('an upload inside of a recorded step is an error, and the pool is itself again', async () => {
  const { pool } = gpu();
  try {
    await Replay.record(gpu(), () => {
      gpu().tensor([1], [1]);
    });
    assert.unreachable('an upload was recorded');
  } catch (error) {
    assert.match((error as Error).message, /an upload cannot be part of a recorded step/);
  }
  assert.is(gpu().pool, pool);
  const x = gpu().tensor([1], [1]);
  assert.equal([...(await x.readFloats())], [1]);
  x.dispose();
});

test('a readback while recording is refused: it would run what is recorded so far', async () => {
  const x = gpu().tensor([1, 2], [2]).keep();
  let reading: Promise<unknown> | undefined;
  const { replay } = await Replay.record(gpu(), () => {
    reading = x.read();
    reading.catch(() => {});
  });
  await reading?.then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /a readback cannot be part of a recorded step/),
  );
  replay.dispose();
  x.dispose();
});

test('a disposed replay has destroyed all of its buffers, as has one that could not be recorded', async () => {
  const { device } = gpu();
  const { createBuffer } = device;
  let [created, destroyed] = [0, 0];
  const training = new TinyTraining(gpu());
  training.load(0);
  await gpu().finish();
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    const { destroy } = buffer;
    created++;
    buffer.destroy = () => {
      destroyed++;
      return destroy.call(buffer);
    };
    return buffer;
  };
  try {
    const { replay } = await Replay.record(gpu(), () => training.step());
    replay.dispose();
    assert.ok(created > 10);
    assert.is(destroyed, created);
    const refused = Replay.record(gpu(), () => {
      gpu().empty([5]);
      training.load(1);
    });
    await refused.then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /an upload cannot be part of a recorded step/),
    );
    assert.is(destroyed, created);
  } finally {
    device.createBuffer = createBuffer;
    training.dispose();
  }
});

test.run();
