/**
 * Reads GLB, binary glTF 2.0: all triangles and points of the scene, in scene coordinates (y up). Skins and morph
 * targets are ignored. Source: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
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
/** Required extensions that do not affect the geometry. */
const HARMLESS = /^(KHR_mesh_quantization|KHR_materials_\w+|KHR_texture_\w+|EXT_texture_\w+|KHR_lights_punctual)$/;
const [POINTS, TRIANGLES, STRIP, FAN] = [0, 4, 5, 6];

/** @param name the file name in error messages */
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
  // Many nodes may use one mesh, so a small file could expand to any size.
  const accessors = new GltfAccessors(json, document, binary, 64 * bytes.length + 2 ** 20);
  const mesh = new MeshBuilder(name);
  const meshes = json.list(document.meshes, 'meshes');
  for (const { meshIndex, matrix } of placedMeshes(json, document)) {
    if (meshIndex >= meshes.length) throw badFile(name, `a node uses mesh ${meshIndex}, the file has ${meshes.length}`);
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
    throw badFile(name, 'not a GLB file: it does not begin with glTF', 'Check that the extension matches the content.');
  }
  const version = view.getUint32(4, true);
  if (version !== 2) throw badFile(name, `is GLB of version ${version}`, 'Export it as glTF 2.0.');
  let document: JsonObject | null = null;
  let binary = new Uint8Array(0);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [length, kind] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const begin = at + 8;
    if (begin + length > bytes.length)
      throw badFile(name, `a chunk says ${length} bytes, but only ${bytes.length - begin} follow`);
    const chunk = bytes.subarray(begin, begin + length) as Uint8Array<ArrayBuffer>;
    if (kind === JSON_CHUNK && !document) document = parseJson(chunk, name);
    else if (kind === BINARY_CHUNK && binary.length === 0) binary = chunk;
    at = begin + length;
  }
  if (!document) throw badFile(name, 'has no JSON chunk');
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

/** Every mesh of the scene with its transform to scene coordinates. */
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
    if (node >= nodes.length) throw badFile(json.name, `uses node ${node}, but the file has ${nodes.length}`);
    if (seen.has(node)) throw badFile(json.name, `node ${node} is used twice; nodes must form a tree`);
    seen.add(node);
    const matrix = multiply(parent, nodeMatrix(json, nodes[node], `node ${node}`));
    if (nodes[node].mesh !== undefined)
      placed.push({ meshIndex: json.count(nodes[node].mesh, 'the mesh of a node'), matrix });
    // Pushed in reverse, so that the stack returns them in file order.
    for (const child of [...children[node]].reverse()) open.push({ node: child, parent: matrix });
  }
  return placed;
}

/** Root nodes of the scene in reverse order. Without a scene, all nodes without a parent. */
function rootNodes(json: JsonReader, document: JsonObject, children: number[][]): number[] {
  const scenes = json.list(document.scenes, 'scenes');
  if (scenes.length > 0) {
    const index = json.count(document.scene, 'scene', 0);
    if (index >= scenes.length) throw badFile(json.name, `uses scene ${index}, but the file has ${scenes.length}`);
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
  if (attributes.POSITION === undefined) return; // allowed by the specification, for extensions
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
    // Every second triangle of a strip has the opposite winding.
    const swap = mode === STRIP && i % 2 === 1;
    mesh.corner(corner(i + (swap ? 2 : 1)));
    mesh.corner(corner(i + (swap ? 1 : 2)));
  }
}
