/** Errors about bad files name the file, the place and the fix. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { readBytes, readGeometry } from '../../../src/files/read.ts';
import { fileBytes, filePath, glb, rejects, textBytes } from '../../support/files.ts';

const test = suite('bad files');

const off = (text: string) => () => parseGeometry(textBytes(text), 'a/mesh.off');

const TRIANGLE = {
  nodes: [{ mesh: 0 }],
  meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
  accessors: [{ bufferView: 0, componentType: 5126, count: 3, type: 'VEC3' }],
  bufferViews: [{ buffer: 0, byteLength: 36 }],
  buffers: [{ byteLength: 36 }],
};

const text: Record<string, [string, string, RegExp]> = {
  'an unknown extension': ['a.step', 'x', /a\.step: the extension \.step is not .*\. Use one of glb, gltf, npy/],
  'no extension': ['folder.off/mesh', 'x', /the extension \. is not/],
  'an empty file': ['a.off', '', /a\.off: is empty/],
  'another kind': ['a.off', '<html>', /line 1: not an OFF file/],
  'four dimensions': ['a.off', '4OFF 1 0 0\n0 0 0 1', /four or more dimensions/],
  'binary OFF': ['a.off', 'OFF BINARY\n', /binary OFF/],
  'vertices missing': [
    'a.off',
    'OFF\n3 1 0\n0 0 0\n1 0 0\n',
    /line 5: the file ends before coordinates of vertex 2 of 3/,
  ],
  'a count that lies': [
    'a.off',
    'OFF\n4000000000 1 0\n0 0 0\n',
    /the file ends before coordinates of vertex 1 of 4000000000/,
  ],
  'a count beyond 32 bits': ['a.off', 'OFF\n99999999999 1 0\n', /expected the number of vertices, found 99999999999/],
  'a face that lies': [
    'a.off',
    'OFF 1 1 0\n0 0 0\n4000000000 0 0 0\n',
    /line 3: the line ends before an index of face 0 of 1/,
  ],
  'NaN in a corner': [
    'a.off',
    'OFF 3 1 0\n0 0 0\n1 nan 0\n0 1 0\n3 0 1 2\n',
    /coordinate y of vertex 1 .* not a finite 32-bit number/,
  ],
  'only holes': ['a.off', 'OFF 1 0 0\n0 nan 0\n', /all of its 1 points are holes/],
  'a hexadecimal number': ['a.off', 'OFF 1 0 0\n0 0x10 0\n', /found "0x10"/],
  'a number too large for float32': [
    'a.off',
    'OFF 1 0 0\n0 1e39 0\n',
    /coordinate y of vertex 0 .* not a finite 32-bit number/,
  ],
  'an index out of range': [
    'a.off',
    'OFF 3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n',
    /uses vertex 3 \(counted from 0\), but the file has 3/,
  ],
  'a negative index': [
    'a.off',
    'OFF 3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 -1\n',
    /expected an index of face 0 of 1, found -1/,
  ],
  'half an index': ['a.off', 'OFF 3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 1.5\n', /expected an index .* found 1\.5/],
  'no vertex': ['a.off', 'OFF 0 0 0\n', /has no vertices/],
  'faces without surface': ['a.off', 'OFF 2 1 0\n0 0 0\n1 0 0\n2 0 1\n', /none of its 1 faces has three corners/],
  'OBJ index 0': ['a.obj', 'v 0 0 0\nf 0 1 1\n', /line 2: "0" is not a valid vertex index/],
  'OBJ index before the first': ['a.obj', 'v 0 0 0\nf -2 1 1\n', /"-2" is not a valid vertex index/],
  'OBJ index out of range': ['a.obj', 'v 0 0 0\nf 1 1 2/5/5\n', /uses vertex 1 \(counted from 0\), but the file has 1/],
  'OBJ index beyond 32 bits': ['a.obj', 'v 0 0 0\nf 1 1 4294967297\n', /uses vertex 4294967296/],
  'PLY without z': [
    'a.ply',
    'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n',
    /no vertex element with x, y and z/,
  ],
  'PLY of an unknown type': [
    'a.ply',
    'ply\nelement vertex 1\nproperty half x\nend_header\n',
    /property of unknown type "half"/,
  ],
  'PLY without end': ['a.ply', 'ply\nformat ascii 1.0\n', /header has no end/],
  'STL cut off': ['a.stl', 'solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n', /the file ends inside a facet/],
  'STL of two corners': [
    'a.stl',
    'solid\nfacet normal 0 0 1 outer loop vertex 0 0 0 vertex 1 0 0 endloop endfacet',
    /facet of 2 vertices/,
  ],
  'too short for STL': ['a.stl', 'abc', /too few for STL/],
  'PCD without FIELDS': ['a.pcd', 'VERSION 0.7\nDATA ascii\n', /no FIELDS/],
  'PCD without z': ['a.pcd', 'FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 1\nDATA ascii\n0 0\n', /no field z/],
  'PCD of an unknown coding': [
    'a.pcd',
    'FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 1\nDATA zip\n',
    /its DATA is "zip"/,
  ],
  'PCD of NaN only': [
    'a.pcd',
    'FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 1\nDATA ascii\nnan 0 0\n',
    /all of its 1 points are holes/,
  ],
  'XYZ of two columns': ['a.xyz', '1 2\n3 4\n', /line 1: fewer than three numbers/],
  'another kind of npy': ['a.npy', 'NUMPY and more text', /not an \.npy file/],
  'another kind of npz': ['a.npz', 'PK and more text, long enough to hold an end', /no zip directory/],
  'another kind of GLB': ['a.glb', 'glTF in text, long enough to be read', /is GLB of version/],
};
for (const [what, [name, content, pattern]] of Object.entries(text)) {
  test(what, () => rejects(() => parseGeometry(textBytes(content), name), pattern));
}

test('errors name the file as it was given', () => rejects(off('x'), /^a\/mesh\.off: /));

test('a missing file and a folder', async () => {
  await rejects(() => readGeometry(filePath('none.off')), /none\.off: cannot be read: ENOENT/);
  await rejects(() => readGeometry('test/files'), /the extension \. is not/);
  await rejects(() => readBytes('test/files'), /test\/files: is not a file/);
});

test('every file of the formats, cut off after any byte, is complete or refused', async () => {
  // Text formats are left out: text may end early without harm, in a comment or at the last number.
  for (const name of [
    'little.ply',
    'big.ply',
    'binary.stl',
    'binary.pcd',
    'compressed.pcd',
    'f4.npy',
    'compressed.npz',
    'scene.glb',
  ]) {
    const bytes = fileBytes(name);
    for (let length = 0; length < bytes.length; length++) {
      await rejects(() => parseGeometry(bytes.slice(0, length), name), new RegExp(`^${name}: `));
    }
  }
});

test('binary counts that lie', async () => {
  const stl = fileBytes('binary.stl');
  new DataView(stl.buffer).setUint32(80, 4_000_000_000, true);
  await rejects(() => parseGeometry(stl, 'a.stl'), /says 4000000000 facets, but 3 follow/);
  const pcd = fileBytes('compressed.pcd');
  const unpackedSize = Buffer.from(pcd).indexOf('binary_compressed\n') + 18 + 4;
  new DataView(pcd.buffer).setUint32(unpackedSize, 4_000_000_000, true);
  await rejects(() => parseGeometry(pcd, 'a.pcd'), /cannot unpack \d+ bytes to 4000000000/);
});

test('NaN and Infinity in binary', async () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const stl = fileBytes('binary.stl');
    new DataView(stl.buffer).setFloat32(96 + 16, value, true);
    await rejects(() => parseGeometry(stl, 'a.stl'), /coordinate y of vertex 1 .* not a finite/);
  }
});

test('GLB: what the document says wrongly', async () => {
  const cases: [object, RegExp][] = [
    [{ accessors: [{ ...TRIANGLE.accessors[0], count: 4_000_000_000 }] }, /extends beyond its data/],
    [{ accessors: [{ ...TRIANGLE.accessors[0], bufferView: undefined }] }, /accessor 0 has no data/],
    [{ accessors: [{ ...TRIANGLE.accessors[0], type: 'VEC4' }] }, /type of accessor 0 is "\\"VEC4\\""/],
    [{ bufferViews: [{ buffer: 0, byteLength: 37 }] }, /bufferView 0 extends beyond the end of its data/],
    [{ buffers: [{ byteLength: 36, uri: 'mesh.bin' }] }, /stored in another file/],
    [{ nodes: [{ mesh: 1 }] }, /uses mesh 1, the file has 1/],
    [{ nodes: [{ children: [1] }, { children: [0] }], scenes: [{ nodes: [0] }] }, /node 0 is used twice/],
    [{ extensionsRequired: ['KHR_draco_mesh_compression'] }, /needs the extension "KHR_draco_mesh_compression"/],
    [{ meshes: [], nodes: [] }, /has no vertices/],
  ];
  for (const [change, pattern] of cases) {
    await rejects(() => parseGeometry(glb({ ...TRIANGLE, ...change }), 'a.glb'), pattern);
  }
  assert.is((await parseGeometry(glb(TRIANGLE), 'a.glb')).positions.length, 9);
});

test('GLB: instances may not unfold without bound', () => {
  const nodes = Array.from({ length: 100_000 }, () => ({ mesh: 0 }));
  const primitives = Array.from({ length: 1000 }, () => ({ attributes: { POSITION: 0 } }));
  return rejects(
    () => parseGeometry(glb({ ...TRIANGLE, nodes, meshes: [{ primitives }] }), 'a.glb'),
    /instances expand/,
  );
});

test.run();
