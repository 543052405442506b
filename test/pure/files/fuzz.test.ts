/**
 * Damaged files, made from valid ones: bytes changed, cut off, moved, digits grown. A reader answers with a valid object
 * or a RomoError, soon, and takes no more memory than it says. `ROMO_FUZZ=100000` sets the number of files per format.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry, surfaceArea } from '../../../src/data/files/geometry.ts';
import { openPointClouds } from '../../../src/data/files/hdf5.ts';
import { readImage } from '../../../src/data/files/image.ts';
import { parseNpz } from '../../../src/data/files/npz.ts';
import { RomoError } from '../../../src/tensor/error.ts';
import { fileBytes } from '../../support/files.ts';

const test = suite('fuzz');
const asked = Number(process.env.ROMO_FUZZ ?? 0);
const MILLISECONDS = 3000; // a file of a kilobyte takes less than one; the rest is for a busy machine

type Edit = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (bytes: Buffer, where: number) => Math.floor(where * bytes.length);
const spliced = (bytes: Buffer, begin: number, end: number, insert: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, begin), insert, bytes.subarray(end)]);

const words = [
  'nan',
  'inf',
  '-1',
  '0',
  '4294967295',
  '99999999999',
  '1e400',
  '1e-400',
  '-',
  '\n',
  '\0',
  '#',
  ' ',
  '{',
  '[',
  '"',
];
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([where, value]): Edit =>
      (bytes) => {
        if (bytes.length > 0) bytes[at(bytes, where)] = value;
        return bytes;
      },
  ),
  fc.tuple(place, fc.nat(7)).map(
    ([where, bit]): Edit =>
      (bytes) => {
        if (bytes.length > 0) bytes[at(bytes, where)] ^= 1 << bit;
        return bytes;
      },
  ),
  place.map(
    (where): Edit =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  fc.tuple(place, place, place).map(
    ([from, to, where]): Edit =>
      (bytes) => {
        const [begin, end] = [at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to))];
        const target = at(bytes, where);
        return spliced(bytes, target, target, bytes.subarray(begin, end));
      },
  ),
  fc.tuple(place, place).map(
    ([from, to]): Edit =>
      (bytes) =>
        spliced(bytes, at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to)), new Uint8Array(0)),
  ),
  fc.tuple(place, fc.constantFrom(...words)).map(
    ([where, word]): Edit =>
      (bytes) =>
        spliced(bytes, at(bytes, where), at(bytes, where), Buffer.from(word)),
  ),
  // The next number in text becomes another: a count, a coordinate, an index, a length in JSON.
  fc.tuple(place, fc.constantFrom(...words)).map(
    ([where, word]): Edit =>
      (bytes) => {
        let begin = at(bytes, where);
        while (begin < bytes.length && !isDigit(bytes[begin])) begin++;
        let end = begin;
        while (end < bytes.length && isDigit(bytes[end])) end++;
        return spliced(bytes, begin, end, Buffer.from(word));
      },
  ),
  // Four bytes become a large count.
  fc.tuple(place, fc.constantFrom(0xffffffff, 0x7fffffff, 0x10000000, 0)).map(
    ([where, value]): Edit =>
      (bytes) => {
        const begin = at(bytes, where);
        if (begin + 4 <= bytes.length) bytes.writeUInt32LE(value, begin);
        return bytes;
      },
  ),
);
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Damages the file in many ways and holds what comes of it to the promise. */
async function attack(name: string, runs: number, read: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const original = fileBytes(name);
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const bytes = changes.reduce<Buffer>((changed, change) => change(changed), Buffer.from(original));
      const begin = performance.now();
      try {
        await read(bytes);
      } catch (error) {
        if (!(error instanceof RomoError)) throw error;
        assert.is(error.code, 'file');
      }
      const took = performance.now() - begin;
      assert.ok(took < MILLISECONDS, `${bytes.length} bytes took ${took} ms`);
    }),
    { numRuns: asked || runs },
  );
}

const texts = [
  'plain.off',
  'comments.off',
  'colours.off',
  'mesh.obj',
  'ascii.ply',
  'ascii.stl',
  'ascii.pcd',
  'cloud.xyz',
];
const binaries = [
  'little.ply',
  'big.ply',
  'binary.stl',
  'binary.pcd',
  'compressed.pcd',
  'f4.npy',
  'f8_big_fortran.npy',
];
for (const name of [...texts, ...binaries, 'arrays.npz', 'compressed.npz', 'scene.glb', 'interleaved.glb']) {
  const multiple = name.endsWith('.npz') ? 1032 : name.endsWith('.pcd') ? 88 + 64 : 64;
  test(name, () =>
    attack(name, 300, async (bytes) => {
      const before = process.memoryUsage().arrayBuffers;
      try {
        const { positions, triangles } = await parseGeometry(bytes, name);
        assert.ok(positions.length > 0 && positions.length % 3 === 0 && positions.every(Number.isFinite));
        if (triangles) {
          assert.ok(triangles.length > 0 && triangles.length % 3 === 0);
          assert.ok(triangles.every((vertex) => vertex < positions.length / 3));
        }
        assert.ok(surfaceArea({ positions, triangles }) >= 0);
      } finally {
        const taken = process.memoryUsage().arrayBuffers - before;
        assert.ok(taken <= multiple * bytes.length + 2 ** 20, `${bytes.length} bytes took ${taken} bytes of memory`);
      }
    }),
  );
}

test('arrays.npz: every array', () =>
  attack('arrays.npz', 300, async (bytes) => {
    const npz = parseNpz(bytes, 'arrays.npz');
    for (const name of npz.names) await npz.array(name);
  }));

const folder = mkdtempSync(join(tmpdir(), 'romo-fuzz-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
let written = 0;

/** Writes the bytes under a fresh name: HDF5 takes a file for the one it had, if its name and number are the same. */
async function withFile(bytes: Uint8Array, read: (path: string) => Promise<void>): Promise<void> {
  const path = join(folder, String(written++));
  writeFileSync(path, bytes);
  try {
    await read(path);
  } finally {
    rmSync(path);
  }
}

for (const name of ['clouds.h5', 'clouds_packed.h5']) {
  test(name, () =>
    attack(name, 60, (bytes) =>
      withFile(bytes, async (path) => {
        const file = await openPointClouds(path);
        try {
          for (let i = 0; i < file.length; i++) {
            const label = await file.label(i);
            const points = await file.points(i);
            const { pixels } = await file.image(i);
            assert.ok(Number.isSafeInteger(label) && points.every(Number.isFinite) && pixels.length > 0);
          }
        } finally {
          await file.close();
        }
      }),
    ),
  );
}

for (const name of ['rgb.png', 'palette.png', 'exif.jpg', 'cmyk.jpg', 'rgb.webp', 'sixteen_alpha.png']) {
  test(name, () =>
    attack(name, 30, (bytes) =>
      withFile(bytes, async (path) => {
        const image = await readImage(path, { size: 8, channels: 3 });
        assert.ok(image.length === 192 && image.every((value) => value >= 0 && value <= 1));
      }),
    ),
  );
}

test.run();
