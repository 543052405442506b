/** GLB files for tests: one mesh, as an exporter writes it. */
import type { Shape } from '../../src/data/prepare.ts';

/** The bytes of a GLB with these values as they are; the format says that y is up. */
export function glbOf({ positions, triangles }: Shape): Uint8Array {
  if (!triangles) throw new Error('glbOf: a mesh is needed');
  const corners = Float32Array.from(positions);
  const json = JSON.stringify({
    asset: { version: '2.0' },
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1 }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: corners.length / 3, type: 'VEC3' },
      { bufferView: 1, componentType: 5125, count: triangles.length, type: 'SCALAR' },
    ],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: corners.byteLength },
      { buffer: 0, byteOffset: corners.byteLength, byteLength: triangles.byteLength },
    ],
    buffers: [{ byteLength: corners.byteLength + triangles.byteLength }],
  });
  const text = Buffer.from(json.padEnd(4 * Math.ceil(json.length / 4)));
  const bytes = Buffer.concat([corners, triangles].map((part) => new Uint8Array(part.buffer)));
  const header = (...words: number[]) => Buffer.from(new Uint32Array(words).buffer);
  const total = 28 + text.length + bytes.length;
  return new Uint8Array(
    Buffer.concat([
      header(0x46546c67, 2, total, text.length, 0x4e4f534a),
      text,
      header(bytes.length, 0x004e4942),
      bytes,
    ]),
  );
}

/** The same mesh with y up: (x, y, z) -> (x, z, -y). */
export const withYUp = ({ positions, triangles }: Shape): Shape => ({
  positions: positions.map((_, i) => [positions[i], positions[i + 1], -positions[i - 1]][i % 3]),
  triangles,
});
