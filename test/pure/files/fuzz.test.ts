/** Damaged files of foreign formats: readers return a valid object or a RomoError, in time and within their memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { parseNpz } from '../../../src/files/npz.ts';
import { asked, attack, withinMemory } from '../../support/damage.ts';
import { fileBytes, readFitted, surfaceArea } from '../../support/files.ts';
import { readAll } from '../../support/read_hdf5.ts';

const test = suite('fuzz');
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
for (const name of [
  ...texts,
  ...binaries,
  'arrays.npz',
  'compressed.npz',
  'scene.glb',
  'interleaved.glb',
  'others/inside.gltf',
]) {
  const multiple = name.endsWith('.npz') ? 1032 : name.endsWith('.pcd') ? 88 + 64 : 64;
  test(name, () =>
    attack(fileBytes(name), 300, (bytes) =>
      withinMemory(bytes, multiple, async () => {
        const { positions, triangles } = await parseGeometry(bytes, name);
        assert.ok(positions.length > 0 && positions.length % 3 === 0 && positions.every(Number.isFinite));
        if (triangles) {
          assert.ok(triangles.length > 0 && triangles.length % 3 === 0);
          assert.ok(triangles.every((vertex) => vertex < positions.length / 3));
        }
        assert.ok(surfaceArea({ positions, triangles }) >= 0);
      }),
    ),
  );
}

test('arrays.npz: every array', () =>
  attack(fileBytes('arrays.npz'), 300, async (bytes) => {
    const npz = parseNpz(bytes, 'arrays.npz');
    for (const name of npz.names) await npz.array(name);
  }));

const folder = mkdtempSync(join(tmpdir(), 'romo-fuzz-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
let written = 0;

/** Writes the bytes under a new name: HDF5 mistakes a file for an earlier one if name and inode are the same. */
async function withFile(bytes: Uint8Array, read: (path: string) => Promise<void>): Promise<void> {
  const path = join(folder, String(written++));
  writeFileSync(path, bytes);
  try {
    await read(path);
  } finally {
    rmSync(path);
  }
}

// tools/fuzz.mjs fuzzes HDF5 in processes that restart when its library aborts.
for (const name of asked ? [] : ['clouds.h5', 'clouds_packed.h5']) {
  test(name, () => attack(fileBytes(name), 60, (bytes) => withFile(bytes, readAll)));
}

for (const name of ['rgb.png', 'palette.png', 'exif.jpg', 'cmyk.jpg', 'rgb.webp', 'sixteen_alpha.png']) {
  test(name, () =>
    attack(fileBytes(name), 30, (bytes) =>
      withFile(bytes, async (path) => {
        const image = await readFitted(path, { size: 8, channels: 3 });
        assert.ok(image.length === 192 && image.every((value) => value >= 0 && value <= 1));
      }),
    ),
  );
}

test.run();
