/** The feeder: its uploads, reading ahead, and where read errors appear. */
import * as assert from 'uvu/assert';
import { shown } from '../../src/data/showing.ts';
import type { Sample } from '../../src/data/types.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { Feeder, type TrainingData } from '../../src/romo/method/feeder.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('feeder');

const SIZE = 8;
const OBJECTS = 7;
const config: Config = { ...structuredClone(PRESETS.tiny), train: OBJECTS, batch: 2, points: 16, imageSize: SIZE };

const sampleOf = (index: number): Sample => ({
  image: Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i + index) % 9) / 8),
  cloud: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * (index + 1))),
});

/** Data that arrive later, and the order of the requests. */
function slowData(bad: { index: number } = { index: -1 }): { data: TrainingData; asked: number[][] } {
  const asked: number[][] = [];
  const pairs = {
    name: 'slow',
    length: OBJECTS,
    imageShape: [SIZE, SIZE, 1] as const,
    id: (index: number) => `${index}`,
    async load(indices: ArrayLike<number>) {
      asked.push(Array.from(indices));
      await new Promise((resolve) => setTimeout(resolve, 5));
      return Array.from(indices, (index) => {
        if (index === bad.index) throw new Error(`object ${index} cannot be read`);
        return sampleOf(index);
      });
    },
  };
  return { data: { pairs, mirror: true, rotation: { axis: 2, maxDegrees: 180 } }, asked };
}

async function assertHolds(feeder: Feeder, data: TrainingData, epoch: number, indices: Int32Array): Promise<void> {
  const showing = {
    seed: config.seed,
    stage: 'ssm',
    epoch,
    strength: config.augment,
    mirror: data.mirror,
    rotation: data.rotation,
    points: config.points,
    sampling: config.sampling,
  };
  const expected = Array.from(indices, (index) => shown(sampleOf(index), index, [SIZE, SIZE, 1], showing));
  assert.equal(
    [...(await feeder.images.readFloats())],
    expected.flatMap(({ image }) => [...image]),
  );
  assert.equal(
    [...(await feeder.clouds.readFloats())],
    expected.flatMap(({ cloud }) => [...cloud]),
  );
  assert.equal([...(await feeder.indices.read())], [...indices]);
}

test('a second view of each image or cloud, if the warm-up compares the two', async () => {
  const { data } = slowData();
  const both = { ...config, ssm: { ...config.ssm, within: 0.5 } };
  const clouds = new Feeder(gpu(), data, { ...config, ssm: { ...config.ssm, withinClouds: 0.5 } }, 'ssm');
  assert.equal([clouds.imagesAgain, clouds.cloudsAgain?.shape], [null, clouds.clouds.shape]);
  clouds.dispose();
  const feeder = new Feeder(gpu(), data, both, 'ssm');
  const [indices] = feeder.batches(0);
  await feeder.load(0, indices, null);
  await assertHolds(feeder, data, 0, indices);
  const again = (await feeder.imagesAgain?.readFloats()) as Float32Array;
  const images = await feeder.images.readFloats();
  assert.is(again.length, images.length);
  assert.ok(again.some((value, at) => value !== images[at]));
  const showing = {
    seed: 1,
    stage: 'ssm again',
    epoch: 0,
    strength: config.augment,
    points: config.points,
    sampling: config.sampling,
  } as const;
  const own = { mirror: data.mirror, rotation: data.rotation };
  const expected = Array.from(indices, (at) => shown(sampleOf(at), at, [SIZE, SIZE, 1], { ...showing, ...own }).image);
  assert.equal(
    [...again],
    expected.flatMap((image) => [...image]),
  );
  feeder.dispose();
  const rdl = new Feeder(gpu(), data, both, 'rdl');
  assert.is(rdl.imagesAgain, null);
  rdl.dispose();
});

test('a second view of images and clouds, of other objects than those of the batch', async () => {
  const { data } = slowData();
  const of = (epoch: number, indices: Int32Array) => indices.map((index) => (index + 1 + epoch) % OBJECTS);
  const feeder = new Feeder(gpu(), data, config, 'ssm', { images: true, clouds: true, of });
  const [indices] = feeder.batches(1);
  await feeder.load(1, indices, null);
  await assertHolds(feeder, data, 1, indices);
  const showing = {
    seed: 1,
    stage: 'ssm again',
    epoch: 1,
    strength: config.augment,
    points: config.points,
    sampling: config.sampling,
  } as const;
  const own = { mirror: data.mirror, rotation: data.rotation };
  const expected = Array.from(of(1, indices), (at) => shown(sampleOf(at), at, [SIZE, SIZE, 1], { ...showing, ...own }));
  assert.equal(
    [...((await feeder.imagesAgain?.readFloats()) ?? [])],
    expected.flatMap(({ image }) => [...image]),
  );
  assert.equal(
    [...((await feeder.cloudsAgain?.readFloats()) ?? [])],
    expected.flatMap(({ cloud }) => [...cloud]),
  );
  feeder.dispose();
});

test('each batch is its own, and the next one is read ahead, over the end of the epoch, not over that of the stage', async () => {
  const { data, asked } = slowData();
  const feeder = new Feeder(gpu(), data, config, 'ssm');
  const order: number[][] = [];
  for (let epoch = 0; epoch < config.ssm.epochs; epoch++) {
    for (const indices of feeder.batches(epoch)) {
      order.push([...indices]);
      await feeder.load(epoch, indices, null);
      await assertHolds(feeder, data, epoch, indices);
      await new Promise((resolve) => setTimeout(resolve, 15));
      const isLast = order.length === config.ssm.epochs * feeder.stepsPerEpoch;
      assert.is(asked.length, order.length + (isLast ? 0 : 1));
    }
  }
  assert.equal(asked, order);
  feeder.dispose();
});

test('another batch than the one read ahead', async () => {
  const { data } = slowData();
  const feeder = new Feeder(gpu(), data, config, 'ssm');
  const [first, , third] = [...feeder.batches(0)];
  await feeder.load(0, first, null);
  await feeder.load(0, third, null);
  await assertHolds(feeder, data, 0, third);
  await feeder.load(1, [...feeder.batches(1)][1], null);
  await assertHolds(feeder, data, 1, [...feeder.batches(1)][1]);
  feeder.dispose();
});

test('an object that cannot be read fails the batch that it is in, not the one before', async () => {
  const bad = { index: -1 };
  const { data } = slowData(bad);
  const feeder = new Feeder(gpu(), data, config, 'ssm');
  const [first, second] = [...feeder.batches(0)];
  bad.index = second[1];
  await feeder.load(0, first, null);
  await new Promise((resolve) => setTimeout(resolve, 20)); // failed by now, in the background
  let message = '';
  await feeder.load(0, second, null).catch((error: Error) => {
    message = error.message;
  });
  assert.is(message, `object ${second[1]} cannot be read`);
  feeder.dispose();
});

test.run();
