/** Every data set in its published layout: its objects, that picture and cloud show the same one, splits and labels. */
import { existsSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normalizeCloud } from '../../../src/data/normalize.ts';
import type { CheckedData, Labels, PairedData, Sample } from '../../../src/data/types.ts';
import { everything, refusalOf, setPath, withFolder, withSet } from '../../support/sets.ts';

const test = suite('data sets');

const ids = (pairs: PairedData) => Array.from({ length: pairs.length }, (_, i) => pairs.id(i));
const all = (pairs: PairedData) => pairs.load(ids(pairs).map((_, i) => i));
const classesOf = ({ train, test: held }: CheckedData) =>
  [train, held].map(({ labels }) => [...(labels as Labels).values].map((value) => labels?.classNames[value]));

/** The clouds of tools/oracle/sets.py. */
const oracleCloud = (number: number, points = 40) =>
  Float32Array.from({ length: 3 * points }, (_, at) => {
    const i = Math.floor(at / 3);
    return [i / 8, ((i * i * (number + 1)) % 11) / 4 - 1, -i / 2 + number][at % 3];
  });

/** Same points in any order? */
function assertCloud(sample: Sample, number: number, points = 40): void {
  const rows = (cloud: Float32Array) =>
    Array.from({ length: cloud.length / 3 }, (_, i) =>
      [...cloud.subarray(3 * i, 3 * i + 3)].map((v) => v.toFixed(4)).join(),
    )
      .map((row) => row.replaceAll('-0.0000', '0.0000'))
      .sort();
  assert.equal(rows(sample.cloud), rows(normalizeCloud(oracleCloud(number, points))), `cloud ${number}`);
}

/** Mean row of the brightest pixels, 0..1; the square of `picture(i)` moves down with i. */
function brightRow({ image }: Sample, channels: number): number {
  const side = Math.sqrt(image.length / channels);
  let [sum, weight] = [0, 0];
  for (let at = 0; at < image.length; at++) {
    sum += image[at] * Math.floor(at / (side * channels));
    weight += image[at];
  }
  return sum / weight / side;
}

for (const folder of ['mnist_hdf5', 'mnist_hdf5_plain']) {
  test(`mnist3d of ${folder}: group "i" is object i`, () =>
    withSet(`mnist3d:${setPath(folder)}`, {}, async (data) => {
      assert.equal(ids(data.train.pairs), ['train/0', 'train/1', 'train/2', 'train/3', 'train/4', 'train/5']);
      assert.is(data.test.pairs.length, 3);
      assert.equal(data.train.pairs.imageShape, [16, 16, 1]);
      assert.equal(classesOf(data), [
        ['0', '1', '2', '3', '4', '5'],
        ['0', '1', '2'],
      ]);
      for (const { pairs } of [data.train, data.test]) {
        const samples = await all(pairs);
        samples.forEach((sample, i) => {
          assertCloud(sample, i);
          if (i > 0) assert.ok(brightRow(sample, 1) > brightRow(samples[i - 1], 1), `picture ${i}`);
        });
      }
    }));
}

test('mnist3d of list files: joined by number, whatever the order of the lists and the folders in front', () =>
  withSet(`mnist3d:${setPath('mnist_lists')}`, {}, async (data) => {
    assert.equal(
      ids(data.train.pairs),
      [1, 2, 3, 4, 5, 6].map((number) => `train/00000${number}`),
    );
    assert.equal(classesOf(data), [
      ['0', '1', '2', '0', '1', '2'],
      ['0', '1', '2'],
    ]);
    const samples = await all(data.train.pairs);
    samples.forEach((sample, i) => {
      assertCloud(sample, i);
      const centre = (i + 2) / 12 - 0.5 / Math.sqrt(sample.image.length / 3); // of a pixel, not its edge
      assert.ok(Math.abs(brightRow(sample, 3) - centre) < 0.01, `picture ${i}`);
    });
  }));

test('modelnet: the published tree; glued header, faces turned inside out, unused vertices and empty faces', () =>
  withSet(`modelnet:${setPath('modelnet')}`, { views: 2, imageSize: 32 }, async (data) => {
    assert.equal(ids(data.test.pairs), [
      'test/box/box_0004',
      'test/box/box_0005',
      'test/long_plank/long_plank_0004',
      'test/long_plank/long_plank_0005',
    ]);
    assert.equal(classesOf(data)[1], ['box', 'box', 'long_plank', 'long_plank']);
    assert.is(data.found.notes.join(), '1 other files');
    for (const [i, { image, cloud }] of (await all(data.train.pairs)).entries()) {
      assert.is(cloud.length, 3 * 1024);
      const wide = i < 3 ? 1 : 6;
      const size = [0, 1, 2].map((axis) => extent(cloud, axis));
      // Sides relative to the longest; the unused vertex at 900 does not count.
      const longest = Math.max(wide, 1 + ((i % 3) + 1) / 4);
      [wide, 1 + ((i % 3) + 1) / 4, 1].forEach((side, axis) => {
        assert.ok(Math.abs(size[axis] - side / longest) < 0.02, `${data.train.pairs.id(i)}: ${size}`);
      });
      const lit = image.filter((value) => value > 0.15).length;
      assert.ok(lit > 100, `${data.train.pairs.id(i)} shows ${lit} lit pixels`);
    }
  }));

test('views: each epoch shows one of them, and the first is the plain picture', () =>
  withSet(`modelnet:${setPath('modelnet')}`, { views: 3 }, async (data) => {
    const rotation = { axis: 2, maxDegrees: 0 } as const;
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 20; epoch++) {
      const showing = { seed: 1, stage: 'ssm', epoch, strength: 'none', mirror: false, rotation, points: 32 } as const;
      const samples = await data.train.pairs.show?.([0], showing);
      seen.add(`${samples?.[0].image}`);
    }
    assert.is(seen.size, 3);
    assert.ok(seen.has(`${(await data.train.pairs.load([0]))[0].image}`));
  }));

test('voxels: rows in their order, nearly empty ones are bad, clouds on the surface', async () => {
  assert.match(
    (await refusalOf(`voxels:${setPath('voxels')}`)).message,
    /boxes.npz.*row 1 has 6 occupied cells.*--on-bad/,
  );
  await withSet(`voxels:${setPath('voxels/boxes.npz')}`, { onBad: 'skip' }, async (data) => {
    assert.equal(ids(data.train.pairs), ['train/0', 'train/2', 'train/3', 'train/4', 'train/5']);
    assert.equal(classesOf(data)[0], ['0', '0', '1', '0', '1']);
    assert.equal(
      data.skipped.map(({ split, id }) => [split, id]),
      [['train', 'train/1']],
    );
    const [{ cloud }] = await data.train.pairs.load([0]); // cells 4..7, 5..19, 3..24
    const sides = [4, 15, 22].map((side) => side / 22);
    sides.forEach((side, axis) => {
      assert.ok(Math.abs(extent(cloud, axis) - side) < 0.05, `axis ${axis}: ${extent(cloud, axis)} for ${side}`);
    });
    // Of 4 x 15 x 22 cells only the inner 2 x 13 x 20 have no free side, and thus no points.
    const low = [0, 1, 2].map((axis) => cloud.filter((_, i) => i % 3 === axis).reduce((a, b) => Math.min(a, b)));
    for (let i = 0; i < cloud.length; i += 3) {
      const inside = sides.every((side, axis) => {
        const depth = cloud[i + axis] - low[axis];
        return depth > 1.2 / 22 && depth < side - 1.2 / 22;
      });
      assert.not.ok(inside, 'a point inside of the box');
    }
  });
});

test('voxels: labels with gaps are the classes that have objects', () =>
  withSet(`voxels:${setPath('voxels_gaps')}`, { onBad: 'skip' }, async (data) => {
    assert.equal(data.test.labels?.classNames, ['2691156', '3001627']);
    assert.equal([...(data.train.labels as Labels).values], [0, 0, 1, 0, 1]);
    assert.equal([...(data.test.labels as Labels).values], [0, 1, 0]);
    assert.equal(data.found.notes, ['arrays that are not read: X_val']);
  }));

test('rgbd: paired by name across trees, masked, one instance of each class held out, every n-th frame', () =>
  withSet(`rgbd:${setPath('rgbd')}`, { everyFrame: 2, heldOutInstance: 3 }, async (data) => {
    assert.equal(ids(data.test.pairs), [
      'apple/apple_3/apple_3_1_1',
      'apple/apple_3/apple_3_1_11',
      'food_bag/food_bag_2/food_bag_2_1_1',
      'food_bag/food_bag_2/food_bag_2_1_11',
    ]);
    assert.equal(ids(data.train.pairs).slice(0, 3), [
      'apple/apple_1/apple_1_1_1',
      'apple/apple_1/apple_1_1_11',
      'apple/apple_2/apple_2_1_1',
    ]);
    assert.match(
      data.found.notes.join('; '),
      /1 clouds or masks without a picture; 6 frames between.*not held out: cap/,
    );
    assert.equal(data.train.labels?.classNames, ['apple', 'cap', 'food_bag']);
    const [first, second] = await data.train.pairs.load([0, 1]);
    assertCloud(first, 1, 60);
    assertCloud(second, 3, 60);
    assert.equal([...first.image.slice(0, 3)], [1, 1, 1]); // outside of the mask
    const centre = 3 * (8 * 16 + 8);
    assert.ok(Math.abs(first.image[centre] - 10 / 255) < 1e-6 && Math.abs(second.image[centre] - 30 / 255) < 1e-6);
  }));

test('folder: every kind of file, sub-folders are classes, a fifth is held out; train and test folders are kept apart', async () => {
  await withSet(`folder:${setPath('folder')}`, {}, async (data) => {
    assert.is(data.train.pairs.length, 8);
    assert.equal([...ids(data.train.pairs), ...ids(data.test.pairs)].sort(), [
      ...[0, 1, 2, 3, 4].map((i) => `box/box_${i}`),
      ...[0, 1, 2, 3, 4].map((i) => `plank/plank_${i}`),
    ]);
    for (const { pairs, labels } of [data.train, data.test]) {
      for (const [i, id] of ids(pairs).entries()) assert.is(labels?.classNames[labels.values[i]], id.split('/')[0]);
    }
  });
  await withFolder({ train: `=${setPath('folder')}`, 'test/box': `=${setPath('folder/box')}` }, (folder) =>
    withSet(`folder:${folder}`, { up: 'y' }, async (data) => {
      assert.is(data.train.pairs.length, 10);
      assert.equal(ids(data.test.pairs)[0], 'test/box/box_0');
      assert.equal(classesOf(data)[1], ['box', 'box', 'box', 'box', 'box']);
      assert.is(data.rotation.axis, 2); // the clouds are turned: z is up
      const [turned] = await data.test.pairs.load([0]);
      const [own] = await withSet(`folder:${setPath('folder')}`, { test: 1 }, async ({ train, test }) => {
        const split = ids(train.pairs).includes('box/box_0') ? train.pairs : test.pairs;
        return split.load([ids(split).indexOf('box/box_0')]);
      });
      [0, 2, 1].forEach((from, axis) => {
        assert.ok(Math.abs(extent(turned.cloud, axis) - extent(own.cloud, from)) < 0.02, `axis ${axis}`);
      });
    }),
  );
});

test('a folder without sub-folders has no labels', () =>
  withFolder({ '.': `=${setPath('folder/box')}` }, (folder) =>
    withSet(`folder:${folder}`, { test: 2, fewerWillDo: { train: true, test: false } }, async (data) => {
      assert.is(data.train.labels, null);
      assert.is(data.test.labels, null);
      assert.equal([data.train.pairs.length, data.test.pairs.length], [3, 2]);
    }),
  ));

test('fewer objects: the same ones for every seed, spread over the classes; more than there are is refused', async () => {
  const chosen = (seed: number) =>
    withSet(`rgbd:${setPath('rgbd')}`, { train: 5, seed }, async ({ train }) => ids(train.pairs));
  assert.equal(await chosen(1), await chosen(2));
  assert.ok(new Set((await chosen(1)).map((id) => id.split('/')[0])).size > 1);
  const exact = { ...everything, fewerWillDo: { train: false, test: false } };
  const error = await refusalOf(`rgbd:${setPath('rgbd')}`, { ...exact, test: 3 });
  assert.match(error.message, /100 training objects.*there are 12.*--train/);
});

const originals = join(process.env.ROMO_DATA ?? '../shared/data', 'modelnet_off_samples');
if (existsSync(originals)) {
  test("ModelNet's own files", () =>
    withFolder({ 'chair/train/x': '', 'chair/test/x': '', 'bed/train/x': '' }, async (folder) => {
      for (const [name, place] of [
        ['chair_0001', 'chair/train'],
        ['bed_0001', 'bed/train'],
        ['chair_0003', 'chair/test'],
      ]) {
        symlinkSync(resolve(originals, `${name}.off`), join(folder, place, `${name}.off`));
      }
      await withSet(`modelnet:${folder}`, { imageSize: 32 }, async (data) => {
        assert.equal(ids(data.train.pairs), ['train/bed/bed_0001', 'train/chair/chair_0001']);
        for (const { image } of await all(data.train.pairs)) {
          assert.ok(image.filter((value) => value > 0.1).length > 100);
        }
      });
    }));
} else console.log(`data sets: skipped, ${originals} is missing (set ROMO_DATA): ModelNet's own files`);

function extent(cloud: Float32Array, axis: number): number {
  const values = cloud.filter((_, i) => i % 3 === axis);
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
}

test.run();
