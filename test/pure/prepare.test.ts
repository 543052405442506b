/** Preparation of objects: up is z, draws depend on the content alone, pictures fit on the model's background. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Preparation, prepareCloud, prepareImage, type Shape } from '../../src/data/prepare.ts';
import { preparePicture } from '../../src/data/sets/prepare_picture.ts';
import { readGeometry } from '../../src/files/read.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { preparationOf } from '../../src/romo/preparation.ts';
import { checkSameModel } from '../../src/search/stamp.ts';
import { filePath, rejects } from '../support/files.ts';
import { STAMP } from '../support/gallery.ts';
import { withYUp } from '../support/glb.ts';
import { setPath, withFolder, withSet } from '../support/sets.ts';

const test = suite('preparation');

const preparation: Preparation = {
  imageSize: 16,
  channels: 3,
  background: 0,
  points: 64,
  leastPoints: 1,
  seed: 1,
  up: 'z',
};

const cloud: Shape = {
  positions: Float64Array.from({ length: 120 }, (_, i) => [i, i * i, 7 - i][i % 3] % 11),
  triangles: null,
};

/** Turns as a reader of the code would by hand, from the axis that points up to z. */
const TURNS = { z: [0, 1, 2], y: [0, 2, 1], x: [2, 1, 0] } as const;

test('whatever axis points up in the file, z does in the cloud, and nothing is mirrored', () => {
  // A corner of axes: the sign of the determinant tells a rotation from a mirror.
  const corner = Float64Array.of(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3);
  for (const up of ['x', 'y', 'z'] as const) {
    const turned = prepareCloud({ positions: corner, triangles: null }, 'a.xyz', { ...preparation, up });
    const sides = [0, 1, 2].map((axis) => {
      const values = turned.filter((_, i) => i % 3 === axis);
      return Math.max(...values) - Math.min(...values);
    });
    TURNS[up].forEach((from, axis) => {
      assert.ok(Math.abs(sides[axis] - (from + 1) / 3) < 1e-6, `${up} up: ${sides}`);
    });
    const rows = [0, 1, 2, 3].map((i) => [...turned.subarray(3 * i, 3 * i + 3)]);
    const length = (a: number[], b: number[]) => Math.hypot(...a.map((value, axis) => value - b[axis]));
    const origin = rows.find((row) => rows.filter((other) => length(row, other) < 1.01).length === 4) as number[];
    const arms = rows
      .filter((row) => row !== origin)
      .map((row) => row.map((value, axis) => value - origin[axis]))
      .sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
    const [a, b, c] = arms;
    const determinant =
      a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
    assert.ok(determinant > 0, `${up} up: mirrored, ${arms}`);
  }
});

test('the same object with y up gives the same points, and GLB has y up whatever is said', async () => {
  const mesh = await readGeometry(setPath('folder/plank/plank_0.off'));
  const own = prepareCloud(mesh, 'plank.off', preparation);
  for (const up of ['x', 'y', 'z'] as const) {
    assert.equal(prepareCloud(withYUp(mesh), 'other.GLB', { ...preparation, up }), own);
  }
  assert.equal(prepareCloud(withYUp(mesh), 'other.obj', { ...preparation, up: 'y' }), own);
  assert.not.equal(prepareCloud(withYUp(mesh), 'other.obj', preparation), own);
});

test('the points depend on the content and the seed, not on the name; 0 and -0 are one content', () => {
  const dense: Shape = { positions: Float64Array.from({ length: 9000 }, (_, i) => (i * i) % 101), triangles: null };
  for (const geometry of [cloud, dense]) {
    const own = prepareCloud(geometry, 'a.xyz', preparation);
    assert.equal(prepareCloud(geometry, './b/../c.ply', preparation), own);
    const signed = geometry.positions.map((value) => (value === 0 ? -0 : value));
    assert.equal(
      prepareCloud({ positions: signed, triangles: null }, 'a.xyz', preparation).map((v) => v + 0),
      own.map((v) => v + 0),
    );
    assert.not.equal(prepareCloud(geometry, 'a.xyz', { ...preparation, seed: 2 }), own);
  }
});

test('a set that is copied and renamed has the same objects', async () => {
  const names = [0, 1, 2, 3, 4];
  const files = { 0: ['png', 'off'], 1: ['jpg', 'obj'], 2: ['webp', 'ply'], 3: ['png', 'xyz'], 4: ['PNG', 'npy'] };
  const copies = names.flatMap((i) =>
    files[i as 0].map((extension) => [`n${i}.${extension}`, `=${setPath(`folder/box/box_${i}.${extension}`)}`]),
  );
  const objects = (spec: string) =>
    withSet(spec, {}, async ({ train, test: held }) => {
      const found: [string, string][] = [];
      for (const { pairs } of [train, held]) {
        const samples = await pairs.load(Array.from({ length: pairs.length }, (_, i) => i));
        samples.forEach(({ image, cloud: points }, i) => {
          found.push([pairs.id(i).replace(/^.*(\d)$/, '$1'), `${image} ${points}`]);
        });
      }
      return new Map(found);
    });
  const renamed = await withFolder(Object.fromEntries(copies), (folder) => objects(`folder:${folder}`));
  const copied = await withFolder({ '.': `=${setPath('folder/box')}` }, (folder) => objects(`folder:${folder}`));
  assert.is(renamed.size, 5);
  assert.equal(renamed, copied);
});

test('pictures lie on the background of the preparation, in files and in arrays', async () => {
  for (const background of [0, 1, 0.5]) {
    const { pixels } = await preparePicture(filePath('alpha.png'), undefined, { ...preparation, background });
    const margin = prepareImage(new Float32Array(8 * 4 * 3).fill(0.25), [4, 8, 3], { ...preparation, background });
    assert.is(pixels[0], Math.floor(255 * background + 0.5));
    assert.is(margin[0], Math.fround(pixels[0] / 255));
    assert.is(margin[3 * (8 * 16 + 8)], Math.fround(64 / 255)); // 0.25, rounded to bytes
  }
  const grey = prepareImage(Float32Array.of(0.5), [1, 1, 1], preparation);
  assert.is(grey.length, 16 * 16 * 3);
  const luma = prepareImage(Float32Array.of(1, 0, 0), [1, 1, 3], { ...preparation, channels: 1 });
  assert.ok(luma.length === 16 * 16 && luma[0] === Math.fround(76 / 255)); // 0.299
  assert.throws(
    () => prepareImage(new Float32Array(5), [2, 2, 1], preparation),
    /5 values are not an image \[2, 2, 1\]/,
  );
});

test('a set is read on the background that is asked for; its own is the default', () =>
  withFolder({ 'a.png': `=${filePath('rgb.png')}`, 'a.xyz': `=${filePath('cloud.xyz')}` }, async (folder) => {
    const pair = { train: 1, test: 1, fewerWillDo: { train: true, test: true } };
    await withFolder({ train: `=${folder}`, test: `=${folder}` }, async (both) => {
      for (const [background, expected] of [
        [undefined, 1],
        [0, 0],
      ] as const) {
        await withSet(
          `folder:${both}`,
          { ...pair, ...(background === undefined ? {} : { background }) },
          async (data) => {
            const [{ image }] = await data.train.pairs.load([0]);
            assert.is(image[0], expected);
          },
        );
      }
    });
  }));

test('too few points, and points in one place, are errors', async () => {
  const few = { ...preparation, leastPoints: 41 };
  await rejects(() => prepareCloud(cloud, 'few.xyz', few), /few\.xyz.*has 40 points, fewer than 41/);
  const same: Shape = { positions: new Float64Array(30).fill(2), triangles: null };
  await rejects(() => prepareCloud(same, 'same.xyz', preparation), /same\.xyz.*10 points all coincide/);
});

test('the preparation of a run: from its configuration; runs that did not turn their files are refused', () => {
  assert.equal(preparationOf(PRESETS.tiny), {
    imageSize: 20,
    background: 0,
    points: 64,
    sampling: 'farthest',
    leastPoints: 8,
    seed: 1,
    up: 'z',
  });
  const onFiles = { ...PRESETS.tiny, data: 'folder:x' };
  assert.is(preparationOf(onFiles).background, 1);
  const turned = { ...onFiles, set: { up: 'y', background: 1 } } as const;
  assert.equal([preparationOf(turned).up, preparationOf(turned).background], ['y', 1]);
  assert.throws(() => preparationOf({ ...onFiles, set: { up: 'y' } }), /--up y when clouds were not turned/);
});

test('a gallery of objects that were prepared otherwise is refused, with what differs', () => {
  const stamp = { ...STAMP, preparation: { background: 0, up: 'z' } };
  checkSameModel('g', stamp, { ...stamp });
  checkSameModel('g', stamp, STAMP); // a program with vectors of its own
  const other = { ...STAMP, preparation: { background: 1, up: 'z' } };
  assert.throws(() => checkSameModel('g', other, stamp), /g holds objects that were prepared with background 1, not 0/);
  assert.throws(() => checkSameModel('g', STAMP, stamp), /g does not say how it was prepared/);
});

test.run();
