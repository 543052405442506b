/**
 * GLB, binary glTF 2.0: all triangles and points of the scene, in the scene's coordinates (y is up), in the pose in
 * which they are stored: no skins, no morph targets. Source: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { GltfAccessors } from './gltf_accessors.ts';
import { IDENTITY, type Matrix, multiply, nodeMatrix, transform } from './gltf_matrix.ts';
import { type JsonObject, JsonReader } from './json.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { viewOf } from './scalars.ts';

const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
/** Extensions without which a file is not understood, but its geometry is. */
const HARMLESS = /^(KHR_mesh_quantization|KHR_materials_\w+|KHR_texture_\w+|EXT_texture_\w+|KHR_lights_punctual)$/;
const [POINTS, TRIANGLES, STRIP, FAN] = [0, 4, 5, 6];

/** @param name what errors call the file */
export function parseGlb(bytes: Uint8Array, name: string): Geometry {
  const { document, binary } = readChunks(bytes, name);
  const json = new JsonReader(name);
  for (const extension of json.list(document.extensionsRequired, 'extensionsRequired')) {
    if (typeof extension === 'string' && HARMLESS.test(extension)) continue;
    throw badFile(
      name,
      `needs the extension ${quoted(String(extension))}`,
      'Export it without compression and extensions.',
    );
  }
  // A mesh may be used by many nodes: a small file could unfold to any size.
  const accessors = new GltfAccessors(json, document, binary, 64 * bytes.length + 2 ** 20);
  const mesh = new MeshBuilder(name);
  const meshes = json.list(document.meshes, 'meshes');
  for (const { meshIndex, matrix } of placedMeshes(json, document)) {
    if (meshIndex >= meshes.length) throw badFile(name, `a node uses mesh ${meshIndex}, there are ${meshes.length}`);
    const { primitives } = json.object(meshes[meshIndex], `mesh ${meshIndex}`);
    for (const primitive of json.list(primitives, `primitives of mesh ${meshIndex}`)) {
      addPrimitive(json, accessors, json.object(primitive, 'a primitive'), matrix, mesh);
    }
  }
  return mesh.finish();
}

function readChunks(bytes: Uint8Array, name: string): { document: JsonObject; binary: Uint8Array } {
  const view = viewOf(bytes);
  if (bytes.length < 20 || view.getUint32(0, true) !== 0x46546c67) {
    throw badFile(name, 'no GLB file: it does not begin with glTF', 'Check that the file is what its name says.');
  }
  const version = view.getUint32(4, true);
  if (version !== 2) throw badFile(name, `is GLB of version ${version}`, 'Export it as glTF 2.0.');
  let document: JsonObject | null = null;
  let binary = new Uint8Array(0);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [length, kind] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const begin = at + 8;
    if (begin + length > bytes.length)
      throw badFile(name, `says a chunk of ${length} bytes, ${bytes.length - begin} are left`);
    const chunk = bytes.subarray(begin, begin + length) as Uint8Array<ArrayBuffer>;
    if (kind === JSON_CHUNK && !document) document = parseJson(chunk, name);
    else if (kind === BINARY_CHUNK && binary.length === 0) binary = chunk;
    at = begin + length;
  }
  if (!document) throw badFile(name, 'has no JSON');
  return { document, binary };
}

function parseJson(chunk: Uint8Array, name: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(chunk));
  } catch (cause) {
    throw badFile(name, `its JSON cannot be read: ${(cause as Error).message}`);
  }
  return new JsonReader(name).object(value, 'the JSON');
}

/** Every mesh of the scene with the matrix that places it. */
function placedMeshes(json: JsonReader, document: JsonObject): { meshIndex: number; matrix: Matrix }[] {
  const nodes = json.list(document.nodes, 'nodes').map((node, i) => json.object(node, `node ${i}`));
  const children = nodes.map((node, i) =>
    json.list(node.children, `children of node ${i}`).map((child) => json.count(child, `a child of node ${i}`)),
  );
  const placed: { meshIndex: number; matrix: Matrix }[] = [];
  const seen = new Set<number>();
  const open = rootNodes(json, document, children).map((node) => ({ node, parent: IDENTITY }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, parent } = next;
    if (node >= nodes.length) throw badFile(json.name, `uses node ${node}, there are ${nodes.length}`);
    if (seen.has(node)) throw badFile(json.name, `node ${node} is used twice; nodes should form a tree`);
    seen.add(node);
    const matrix = multiply(parent, nodeMatrix(json, nodes[node], `node ${node}`));
    if (nodes[node].mesh !== undefined)
      placed.push({ meshIndex: json.count(nodes[node].mesh, 'the mesh of a node'), matrix });
    // Last in, first out: reversed, the order of the file is kept.
    for (const child of [...children[node]].reverse()) open.push({ node: child, parent: matrix });
  }
  return placed;
}

/** In reverse order. Without a scene: the nodes without a parent. */
function rootNodes(json: JsonReader, document: JsonObject, children: number[][]): number[] {
  const scenes = json.list(document.scenes, 'scenes');
  if (scenes.length > 0) {
    const index = json.count(document.scene, 'scene', 0);
    if (index >= scenes.length) throw badFile(json.name, `uses scene ${index}, there are ${scenes.length}`);
    const roots = json.list(json.object(scenes[index], 'the scene').nodes, 'nodes of the scene');
    return roots.map((node) => json.count(node, 'a node of the scene')).reverse();
  }
  const inner = new Set(children.flat());
  return children
    .map((_, i) => i)
    .filter((i) => !inner.has(i))
    .reverse();
}

function addPrimitive(
  json: JsonReader,
  accessors: GltfAccessors,
  primitive: JsonObject,
  matrix: Matrix,
  mesh: MeshBuilder,
): void {
  const mode = json.count(primitive.mode, 'mode of a primitive', TRIANGLES);
  if (![POINTS, TRIANGLES, STRIP, FAN].includes(mode)) return; // lines have no surface
  const attributes = json.object(primitive.attributes, 'attributes of a primitive');
  if (attributes.POSITION === undefined) return; // the specification allows it, for extensions
  const first = mesh.vertices;
  const positions = accessors.read(attributes.POSITION, 'VEC3'); // [count, 3]
  for (let i = 0; i < positions.length; i += 3) {
    const [x, y, z] = transform(matrix, positions[i], positions[i + 1], positions[i + 2]);
    mesh.vertex(x, y, z);
  }
  if (mode === POINTS) return;
  const indices =
    primitive.indices === undefined ? null : accessors.read(primitive.indices, 'SCALAR', positions.length / 3);
  const corner = (i: number) => first + (indices ? indices[i] : i);
  const count = indices ? indices.length : positions.length / 3;
  const step = mode === TRIANGLES ? 3 : 1;
  for (let i = 0; i + 2 < count; i += step) {
    mesh.face();
    mesh.corner(corner(mode === FAN ? 0 : i));
    // Every second triangle of a strip runs the other way round.
    const swap = mode === STRIP && i % 2 === 1;
    mesh.corner(corner(i + (swap ? 2 : 1)));
    mesh.corner(corner(i + (swap ? 1 : 2)));
  }
}
