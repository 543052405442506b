/** NumPy's arrays: every kind that data sets use, and kinds that are rejected. */
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cloudOfArray, parseNpy } from '../../../src/files/npy.ts';
import { parseNpz } from '../../../src/files/npz.ts';
import { readNpz } from '../../../src/files/read.ts';
import { fileBytes, filePath, rejects, textBytes } from '../../support/files.ts';

const test = suite('npz');
const folder = process.env.ROMO_DATA ?? '../shared/data';

/** The bytes of a .npy file. */
function npy(descr: string, shape: string, data: ArrayLike<number>, fortran = false): Uint8Array {
  const header = `{'descr': ${descr}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`;
  return Uint8Array.of(0x93, ...textBytes('NUMPY'), 1, 0, header.length, 0, ...textBytes(header), ...Array.from(data));
}

test('arrays by name, with shape and values', async () => {
  const npz = await readNpz(filePath('arrays.npz'));
  assert.equal(npz.names, ['X_train', 'y_train', 'points', 'flags', 'scalar']);
  const bits = await npz.array('X_train');
  assert.equal(bits.shape, [4, 4]); // 27 bits in four bytes per row, the first bit in the highest place
  assert.instance(bits.data, Uint8Array);
  assert.is(bits.data[0], 0b10000100);
  assert.equal(Array.from((await npz.array('y_train')).data), [3, 1, -4, 2 ** 40]);
  assert.equal(Array.from((await npz.array('flags')).data), [1, 0]);
  assert.equal(await npz.array('scalar'), { shape: [], data: Int16Array.of(7) });
});

test('an array that is not there', async () => {
  const npz = await readNpz(filePath('arrays.npz'));
  await rejects(() => npz.array('X_test'), /arrays\.npz: has no array "X_test"\. Use one of "X_train", "y_train"/);
  await rejects(() => npz.array('__proto__'), /has no array/);
});

test('a changed byte of a compressed array is noticed', async () => {
  const bytes = fileBytes('compressed.npz');
  for (let at = 60; at < 300; at += 7) {
    const damaged = bytes.slice();
    damaged[at] ^= 16;
    await rejects(() => parseNpz(damaged, 'a.npz').array('pc'), /^a\.npz: array "pc": /);
  }
});

test('Fortran order of three axes is turned into C order', () => {
  // Value of [i, j, k] is 100 i + 10 j + k; in the file, the first axis runs fastest.
  const shape = [2, 3, 4];
  const stored: number[] = [];
  for (let k = 0; k < 4; k++) for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) stored.push(100 * i + 10 * j + k);
  const { data } = parseNpy(npy("'|u1'", '(2, 3, 4)', stored, true), 'a.npy');
  const expected: number[] = [];
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) expected.push(100 * i + 10 * j + k);
  assert.equal(Array.from(data), expected);
  assert.is(
    shape.reduce((a, b) => a * b),
    data.length,
  );
});

test('what is no array of numbers is refused', async () => {
  const refused: [Uint8Array, RegExp][] = [
    [npy("'|O'", '(1,)', [0]), /not plain numbers/],
    [npy("'<c8'", '(1,)', new Array(8).fill(0)), /not plain numbers/],
    [npy("[('x', '<f4'), ('y', '<f4')]", '(1,)', new Array(8).fill(0)), /not plain numbers/],
    [npy("'|u1'", '(3,)', [1, 2]), /\[3\] of u1 needs 3 bytes, the file has 2/],
    [npy("'|u1'", '(4000000000, 4000000000)', [1]), /its shape is/],
    [npy("'|u1'", '(-3,)', [1, 2, 3]), /lacks the shape/],
    [npy("'<i8'", '(1,)', [255, 255, 255, 255, 255, 255, 255, 1]), /above 2\^53/],
  ];
  for (const [bytes, pattern] of refused) await rejects(() => parseNpy(bytes, 'a.npy'), pattern);
});

test('a cloud has rows of three or more', async () => {
  await rejects(() => cloudOfArray({ shape: [6], data: new Float32Array(6) }, 'a.npy'), /has shape \[6\]/);
  await rejects(() => cloudOfArray({ shape: [3, 2], data: new Float32Array(6) }, 'a.npy'), /has shape \[3,2\]/);
  await rejects(() => cloudOfArray({ shape: [0, 3], data: new Float32Array(0) }, 'a.npy'), /has no vertices/);
  await rejects(
    () => cloudOfArray({ shape: [1, 3], data: Float32Array.of(1, 2, Number.NaN) }, 'a.npy'),
    /all of its 1 points are holes/,
  );
});

const voxels = `${folder}/modelnet10_voxels/modelnet10_vox30_packed.npz`;
if (existsSync(voxels)) {
  test('the voxels of ModelNet10: shapes and the official counts per class', async () => {
    const npz = await readNpz(voxels);
    assert.equal((await npz.array('X_train')).shape, [3991, 3375]);
    const counts = new Array(10).fill(0);
    for (const label of (await npz.array('y_train')).data) counts[label]++;
    assert.equal(counts, [106, 515, 889, 200, 200, 465, 200, 680, 392, 344]);
  });
} else console.log(`npz: the voxels of ModelNet10 are not there, their test is skipped (set ROMO_DATA): ${voxels}`);

test.run();
