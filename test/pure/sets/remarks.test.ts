/** What was done to the files of a set is said once; grids of probabilities are cut at one half. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusalOf, withFolder, withSet } from '../../support/sets.ts';

const test = suite('remarks');

const points = (change: (row: string, i: number) => string) =>
  Array.from({ length: 40 }, (_, i) => change(`${i / 8} ${(i * i) % 5} ${i % 3}.5`, i)).join('\n');

test('holes and decimal commas of a set are counted', () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 5; i++) files[`${i}.png`] = '=test/files/rgb.png';
  for (const i of [0, 1]) files[`${i}.xyz`] = points((row, k) => (k < 3 + i ? '0 0 0' : k === 9 ? 'nan 1 1' : row));
  for (const i of [2, 3]) files[`${i}.xyz`] = points((row) => row.replaceAll('.', ','));
  files['4.xyz'] = points((row) => row);
  return withFolder(files, async (folder) => {
    for (const workers of [0, 1]) {
      await withSet(`folder:${folder}`, { workers }, async ({ found }) => {
        assert.equal(found.notes, ['9 holes left out in 2 clouds', 'decimal commas read in 2 files']);
      });
    }
  });
});

/** The bytes of a .npy file of 32-bit floats. */
function npy(shape: readonly number[], data: ArrayLike<number>): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`;
  const start = [0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0, ...Buffer.from(header)];
  return Buffer.concat([Uint8Array.from(start), new Uint8Array(Float32Array.from(data).buffer)]);
}

/** A zip of files that are not compressed; checksums are left out, as nothing reads them. */
function zip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), Buffer.from(content));
    offset += 30 + name.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** Boxes of 8 x 10 x 12 cells with the value `inside`; all other cells are `outside`. */
function boxes(inside: number, outside: number, shape = [3, 30, 30, 30]): Uint8Array {
  const grid = (row: number) =>
    Float32Array.from({ length: 27_000 }, (_, at) => {
      const [x, y, z] = [Math.floor(at / 900), Math.floor(at / 30) % 30, at % 30];
      return x >= row && x < row + 8 && y < 10 && z < 12 ? inside : outside;
    });
  const grids = npy(
    shape,
    [0, 1, 2].flatMap((row) => Array.from(grid(row))),
  );
  const labels = npy([3], [0, 1, 0]);
  return zip({ 'X_train.npy': grids, 'y_train.npy': labels, 'X_test.npy': grids, 'y_test.npy': labels });
}

for (const [what, inside, outside, shape] of [
  ['zero and one', 1, 0, [3, 30, 30, 30]],
  ['counts', 7, 0, [3, 27_000]],
  ['minus one for empty', 1, -1, [3, 30, 30, 30]],
  ['an axis of one channel in front', 1, 0, [3, 1, 30, 30, 30]],
  ['an axis of one channel at the end', 1, 0, [3, 30, 30, 30, 1]],
] as const) {
  test(`voxels: ${what}`, () =>
    withFolder({ 'a.npz': boxes(inside, outside, [...shape]) }, (folder) =>
      withSet(`voxels:${folder}`, {}, async ({ train, found }) => {
        assert.equal(
          train.origins.map(({ points: cells }) => cells),
          [960, 960, 960],
        );
        assert.equal(found.notes, []);
      }),
    ));
}

test('voxels: probabilities', () =>
  withFolder({ 'a.npz': boxes(0.5, 0.49) }, (folder) =>
    withSet(`voxels:${folder}`, {}, async ({ train, found }) => {
      assert.equal(
        train.origins.map(({ points: cells }) => cells),
        [960, 960, 960],
      );
      assert.match(found.notes.join(), /^X_train: numbers between 0 and 1, cells of at least one half.*X_test/);
    }),
  ));

for (const [what, inside, outside, pattern] of [
  ['distances', -1.5, 2.25, /X_train has numbers from -1.5 to 2.25, neither/],
  ['not a number', Number.NaN, 0, /X_train has numbers from/],
  ['without an empty cell', 1, 1, /row \d has no empty cell/],
] as const) {
  test(`voxels: ${what}`, () =>
    withFolder({ 'a.npz': boxes(inside, outside) }, async (folder) => {
      assert.match((await refusalOf(`voxels:${folder}`)).message, pattern);
    }));
}

test.run();
