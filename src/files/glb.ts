/**
 * Reads glTF 2.0, as GLB or as JSON with its data inside: all triangles and points of the scene, in scene coordinates (y up), with instances. Skins
 * and morph targets are ignored. Source: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
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
/** Extensions that are read, and those that do not affect the geometry. */
const INSTANCES = 'EXT_mesh_gpu_instancing';
const VISIBILITY = 'KHR_node_visibility';
const HARMLESS = new RegExp(
  '^((KHR|EXT|MSFT|ADOBE|GOOGLE|AGI)_(materials?|texture|lights?|animation|audio|physics|environment)\\w*|KHR_mesh_quantization|' +
    'MSFT_(packing|lod)\\w*|FB_(geometry_metadata|ngon_encoding)|EXT_feature_metadata|CESIUM_RTC|(MOZ|OMI)_\\w*|KHR_xmp\\w*|KHR_node_(selectability|hoverability)|KHR_techniques_webgl|KHR_interactivity|EXT_structural_metadata|EXT_mesh_features|' +
    `EXT_instance_features|EXT_mesh_manifold|CESIUM_primitive_outline|VRMC?_?\\w*|${INSTANCES}|${VISIBILITY})$`,
);
/** Extensions that store the geometry packed. */
const PACKED = /^(KHR_draco_mesh|(EXT|KHR)_meshopt)_compression$/;
const [POINTS, TRIANGLES, STRIP, FAN] = [0, 4, 5, 6];

/** @param name the file name in error messages */
export function parseGlb(bytes: Uint8Array, name: string): Geometry {
  const { document, binary } = readChunks(bytes, name);
  return readScene(document, binary, bytes.length, name);
}

/** Reads .gltf, the JSON alone. @param name the file name in error messages */
export function parseGltf(bytes: Uint8Array, name: string): Geometry {
  const document = parseJson(bytes, name);
  const { version } = new JsonReader(name).object(document.asset, 'asset');
  if (!/^2\./.test(String(version))) {
    throw badFile(name, `is glTF of version ${quoted(String(version))}`, 'Export it as glTF 2.0.');
  }
  return readScene(document, new Uint8Array(0), bytes.length, name);
}

/** @param size of the file in bytes; what is read of it may take up to 64 times as much */
function readScene(document: JsonObject, binary: Uint8Array, size: number, name: string): Geometry {
  const json = new JsonReader(name);
  for (const extension of json.list(document.extensionsRequired, 'extensionsRequired')) {
    if (typeof extension === 'string' && HARMLESS.test(extension)) continue;
    const fix = PACKED.test(String(extension))
      ? 'Export it without compression.'
      : 'Export it without this extension, which may change the shape.';
    throw badFile(name, `needs the extension ${quoted(String(extension))}, which is not read`, fix);
  }
  // Many nodes may use one mesh, so a small file could expand to any size.
  const accessors = new GltfAccessors(json, document, binary, 64 * size + 2 ** 20);
  const mesh = new MeshBuilder(name);
  const meshes = json.list(document.meshes, 'meshes');
  for (const { meshIndex, matrix } of placedMeshes(json, document, accessors)) {
    if (meshIndex >= meshes.length) throw badFile(name, `a node uses mesh ${meshIndex}, the file has ${meshes.length}`);
    const { primitives } = json.object(meshes[meshIndex], `mesh ${meshIndex}`);
    for (const primitive of json.list(primitives, `primitives of mesh ${meshIndex}`)) {
      addPrimitive(json, accessors, json.object(primitive, 'a primitive'), matrix, mesh);
    }
  }
  const isPosed = json.list(document.skins, 'skins').length > 0 || hasMorphTargets(json, meshes);
  // Packed geometry that is not required has a copy that is not packed.
  const isKnown = (extension: unknown) => HARMLESS.test(String(extension)) || PACKED.test(String(extension));
  const isWhole = json.list(document.extensionsUsed, 'extensionsUsed').every(isKnown);
  return mesh.finish({ ...(isPosed ? { pose: 1 } : {}), ...(isWhole ? {} : { extensions: 1 }) });
}

function hasMorphTargets(json: JsonReader, meshes: readonly unknown[]): boolean {
  return meshes.some((mesh) =>
    json
      .list(json.object(mesh, 'a mesh').primitives, 'primitives of a mesh')
      .some((primitive) => json.object(primitive, 'a primitive').targets !== undefined),
  );
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
function placedMeshes(
  json: JsonReader,
  document: JsonObject,
  accessors: GltfAccessors,
): { meshIndex: number; matrix: Matrix }[] {
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
    const extensions = json.object(nodes[node].extensions, `extensions of node ${node}`);
    if (json.object(extensions[VISIBILITY], VISIBILITY).visible === false) continue; // with its children
    if (nodes[node].mesh !== undefined) {
      const meshIndex = json.count(nodes[node].mesh, 'the mesh of a node');
      const copies =
        extensions[INSTANCES] === undefined ? [IDENTITY] : instances(json, extensions[INSTANCES], accessors);
      for (const copy of copies) placed.push({ meshIndex, matrix: multiply(matrix, copy) });
    }
    // Pushed in reverse, so that the stack returns them in file order.
    for (const child of [...children[node]].reverse()) open.push({ node: child, parent: matrix });
  }
  return placed;
}

/** Transforms of the copies of a mesh, relative to its node: EXT_mesh_gpu_instancing. */
function instances(json: JsonReader, extension: unknown, accessors: GltfAccessors): Matrix[] {
  const attributes = json.object(json.object(extension, INSTANCES).attributes, `attributes of ${INSTANCES}`);
  const read = (name: string, type: 'VEC3' | 'VEC4') =>
    attributes[name] === undefined ? null : accessors.read(attributes[name], type);
  const [moves, turns, scales] = [read('TRANSLATION', 'VEC3'), read('ROTATION', 'VEC4'), read('SCALE', 'VEC3')];
  const counts = [moves && moves.length / 3, turns && turns.length / 4, scales && scales.length / 3].filter(
    (count) => count !== null,
  );
  if (new Set(counts).size !== 1) throw badFile(json.name, `${INSTANCES} has ${counts.join(', ') || 'no'} transforms`);
  const row = (values: ArrayLike<number> | null, width: number, i: number) =>
    values ? Array.from({ length: width }, (_, k) => values[width * i + k]) : undefined;
  return Array.from({ length: counts[0] }, (_, i) => {
    const node = { translation: row(moves, 3, i), rotation: row(turns, 4, i), scale: row(scales, 3, i) };
    return nodeMatrix(json, node, 'an instance');
  });
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
