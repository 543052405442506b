/** GLB: data inside the document, sparse accessors, instances, hidden nodes, extensions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { summarize } from '../../../src/files/remarks.ts';
import { glb, rejects, surfaceArea } from '../../support/files.ts';

const test = suite('glb');

/** A triangle of area 3 at z = 0. */
const CORNERS = [0, 0, 0, 2, 0, 0, 0, 3, 0];
const bytesOf = (...lists: readonly (readonly number[])[]) => new Uint8Array(Float32Array.from(lists.flat()).buffer);
const read = (document: object, binary = bytesOf(CORNERS)) => parseGeometry(glb(document, binary), 'a.glb');

const vectors = (count: number, view: number, type = 'VEC3') => ({
  bufferView: view,
  componentType: 5126,
  count,
  type,
});
const TRIANGLE = {
  nodes: [{ mesh: 0 }] as object[],
  meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
  accessors: [vectors(3, 0)] as object[],
  bufferViews: [{ buffer: 0, byteLength: 36 }] as object[],
  buffers: [{ byteLength: 36 }] as object[],
};

test('a buffer inside the document', async () => {
  const uri = `data:application/octet-stream;base64,${Buffer.from(bytesOf(CORNERS)).toString('base64')}`;
  const inside = { ...TRIANGLE, buffers: [{ byteLength: 36, uri }] };
  assert.equal(Array.from((await read(inside, new Uint8Array(0))).positions), CORNERS);
  const second = { ...TRIANGLE, buffers: [{ byteLength: 0 }, { uri }], bufferViews: [{ buffer: 1, byteLength: 36 }] };
  assert.equal(Array.from((await read(second)).positions), CORNERS);
  await rejects(() => read({ ...TRIANGLE, buffers: [{ uri: 'data:;base64,*' }] }), /buffer 0 is not base64/);
  await rejects(() => read({ ...TRIANGLE, buffers: [{ uri: 'a.bin' }] }), /stored in another file/);
  await rejects(
    () => read({ ...second, buffers: [{}, { byteLength: 36 }] }),
    /buffer 1 has no data\. Export it without/,
  );
});

test('sparse accessors replace some vectors of a view, or of zeros', async () => {
  const sparse = {
    count: 1,
    indices: { bufferView: 1, componentType: 5123 },
    values: { bufferView: 2 },
  };
  const views = [
    { buffer: 0, byteLength: 36 },
    { buffer: 0, byteOffset: 36, byteLength: 2 },
    { buffer: 0, byteOffset: 40, byteLength: 12 },
  ];
  const document = { ...TRIANGLE, bufferViews: views, buffers: [{ byteLength: 52 }] };
  const binary = (index: number) => Uint8Array.of(...bytesOf(CORNERS), index, 0, 0, 0, ...bytesOf([7, 8, 9]));
  const moved = await read({ ...document, accessors: [{ ...vectors(3, 0), sparse }] }, binary(1));
  assert.equal(Array.from(moved.positions), [0, 0, 0, 7, 8, 9, 0, 3, 0]);
  const zeros = { componentType: 5126, count: 3, type: 'VEC3', sparse };
  assert.equal(
    Array.from((await read({ ...document, accessors: [zeros] }, binary(2))).positions),
    [0, 0, 0, 0, 0, 0, 7, 8, 9],
  );
  await rejects(() => read({ ...document, accessors: [{ ...zeros }] }, binary(3)), /replaces value 3/);
});

/** A document with instances of the triangle. */
function instanced(attributes: Record<string, number>, node: object = {}) {
  return {
    ...TRIANGLE,
    nodes: [{ mesh: 0, ...node, extensions: { EXT_mesh_gpu_instancing: { attributes } } }],
    accessors: [vectors(3, 0), vectors(3, 1), vectors(3, 2, 'VEC4'), vectors(3, 3), vectors(2, 3)],
    bufferViews: [
      { buffer: 0, byteLength: 36 },
      { buffer: 0, byteOffset: 36, byteLength: 36 },
      { buffer: 0, byteOffset: 72, byteLength: 48 },
      { buffer: 0, byteOffset: 120, byteLength: 36 },
    ],
    buffers: [{ byteLength: 156 }],
    extensionsUsed: ['EXT_mesh_gpu_instancing'],
  };
}
const HALF_TURN = [0, 0, 1, 0]; // about z
const INSTANCES = bytesOf(
  CORNERS,
  [0, 0, 0, 10, 0, 0, 0, 0, 5],
  [0, 0, 0, 1, ...HALF_TURN, 0, 0, 0, 1],
  [1, 1, 1, 1, 1, 1, 2, 2, 2],
);

test('instances: each copy is placed by its own transform within the node', async () => {
  const document = instanced({ TRANSLATION: 1, ROTATION: 2, SCALE: 3 }, { scale: [2, 2, 2] });
  for (const extensionsRequired of [undefined, ['EXT_mesh_gpu_instancing']]) {
    const mesh = await read({ ...document, extensionsRequired }, INSTANCES);
    const copies = [CORNERS, [10, 0, 0, 8, 0, 0, 10, -3, 0], [0, 0, 5, 4, 0, 5, 0, 6, 5]];
    const expected = copies.flat().map((value) => 2 * value);
    assert.is(mesh.positions.length, 27);
    mesh.positions.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value}, not ${expected[i]}`);
    });
    assert.ok(Math.abs(surfaceArea(mesh) - 4 * (3 + 3 + 12)) < 1e-9);
  }
  assert.is((await read(instanced({ TRANSLATION: 1 }), INSTANCES)).positions.length, 27);
  await rejects(() => read(instanced({ TRANSLATION: 1, SCALE: 4 }), INSTANCES), /has 3, 2 transforms/);
  await rejects(() => read(instanced({}), INSTANCES), /has no transforms/);
});

test('hidden nodes are left out with their children', async () => {
  const hidden = { extensions: { KHR_node_visibility: { visible: false } } };
  const nodes = [{ mesh: 0 }, { ...hidden, children: [2] }, { mesh: 0 }, { mesh: 0, ...hidden }];
  const mesh = await read({ ...TRIANGLE, nodes, extensionsRequired: ['KHR_node_visibility'] });
  assert.is(mesh.positions.length, 9);
});

test('large coordinates of nodes keep the shape', async () => {
  const mesh = await read({ ...TRIANGLE, nodes: [{ mesh: 0, translation: [458_000.25, 5_428_000.125, 212] }] });
  assert.is(surfaceArea(mesh), 3);
});

test('required extensions: those without effect on the shape, and others', async () => {
  for (const extension of [
    'KHR_xmp_json_ld',
    'KHR_materials_unlit',
    'KHR_texture_transform',
    'KHR_lights_punctual',
    'EXT_texture_webp',
    'EXT_mesh_features',
    'KHR_animation_pointer',
    'MSFT_texture_dds',
    'VRM',
  ]) {
    assert.is((await read({ ...TRIANGLE, extensionsRequired: [extension] })).positions.length, 9, extension);
  }
  for (const packed of ['KHR_draco_mesh_compression', 'EXT_meshopt_compression']) {
    await rejects(
      () => read({ ...TRIANGLE, extensionsRequired: [packed] }),
      /which is not read\. Export it without compression/,
    );
  }
  await rejects(() => read({ ...TRIANGLE, extensionsRequired: ['X_bend'] }), /"X_bend".*may change the shape/);
});

test('unknown extensions that are not required are passed over, and this is said', async () => {
  for (const known of ['KHR_materials_unlit', 'KHR_draco_mesh_compression', 'EXT_mesh_gpu_instancing', 'MSFT_lod']) {
    assert.equal((await read({ ...TRIANGLE, extensionsUsed: [known] })).remarks, {}, known);
  }
  assert.equal((await read({ ...TRIANGLE, extensionsUsed: ['VRM', 'X_bend'] })).remarks, { extensions: 1 });
  assert.match(summarize([{ extensions: 1 }, {}, { extensions: 1 }]).join(), /^unknown extensions .* in 2 glTF files/);
});

test('skins and morph targets are named', async () => {
  const [{ primitives }] = TRIANGLE.meshes;
  const posed = { ...TRIANGLE, meshes: [{ primitives: [{ ...primitives[0], targets: [{ POSITION: 0 }] }] }] };
  assert.equal((await read(posed)).remarks, { pose: 1 });
  assert.equal((await read({ ...TRIANGLE, skins: [{ joints: [0] }] })).remarks, { pose: 1 });
  assert.equal((await read(TRIANGLE)).remarks, {});
});

test.run();
