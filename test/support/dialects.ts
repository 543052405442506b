/** One mesh and one cloud in many dialects of the formats, to be read by us and by others. */
import { Random } from '../../src/tensor/random.ts';
import { textBytes } from './files.ts';

/** A prism over a star, turned in space: its two large faces are concave polygons. */
function star() {
  const random = new Random(7, 'dialects');
  const corners = 9;
  const turned = ([x, y, z]: number[]) => [0.8 * x - 0.6 * z, y, 0.6 * x + 0.8 * z].map((v) => Number(v.toFixed(4)));
  const radius = Array.from({ length: corners }, (_, i) => (i % 2 ? 0.4 : 1) + 0.3 * random.uniform());
  const ring = (z: number) =>
    radius.map((r, i) => {
      const angle = (2 * Math.PI * i) / corners;
      return turned([r * Math.cos(angle), r * Math.sin(angle), z]);
    });
  const base = Array.from({ length: corners }, (_, i) => i);
  const sides = base.map((i) => {
    const next = (i + 1) % corners;
    return [i, next, next + corners, i + corners];
  });
  return {
    vertices: [...ring(0), ...ring(0.5)],
    faces: [[...base].reverse(), base.map((i) => i + corners), ...sides],
  };
}

const { vertices, faces } = star();
const CLOUD = Array.from({ length: 30 }, (_, i) => [i / 8, ((i * i) % 7) - 2.5, 100 - i * 0.3]);

const lines = (rows: readonly (readonly (number | string)[])[]) => rows.map((row) => `${row.join(' ')}\n`).join('');
const indices = (face: readonly number[]) => [face.length, ...face];

function off(header: string, more: string, colour = ''): string {
  return `${header}\n${vertices.length} ${faces.length} 0\n${lines(vertices.map((v) => [...v, more]))}${lines(
    faces.map((face) => [...indices(face), colour]),
  )}`;
}

function obj(corner: (index: number) => string, more = ''): string {
  return `${lines(vertices.map((v) => ['v', ...v, more]))}vt 0 0\nvn 0 0 1\n${lines(
    faces.map((face) => ['f', ...face.map(corner)]),
  )}`;
}

/** Binary PLY with columns before and after those that are used. */
function ply(little: boolean): Uint8Array {
  const order = little ? 'little' : 'big';
  const header =
    `ply\nformat binary_${order}_endian 1.0\ncomment by hand\nelement vertex ${vertices.length}\nproperty uchar red\n` +
    'property double x\nproperty double y\nproperty double z\n' +
    `element face ${faces.length}\nproperty list uchar uint vertex_indices\nproperty short flags\nend_header\n`;
  const parts: number[] = [...textBytes(header)];
  const put = (bytes: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(bytes));
    set(view);
    parts.push(...new Uint8Array(view.buffer));
  };
  for (const vertex of vertices) {
    parts.push(255);
    for (const value of vertex) put(8, (view) => view.setFloat64(0, value, little));
  }
  for (const face of faces) {
    parts.push(face.length);
    for (const index of face) put(4, (view) => view.setUint32(0, index, little));
    put(2, (view) => view.setInt16(0, -1, little));
  }
  return Uint8Array.from(parts);
}

/** Binary STL whose 80 free bytes begin like text. */
function stl(): Uint8Array {
  const triangles = faces.slice(2).flatMap(([a, b, c, d]) => [
    [a, b, c],
    [a, c, d],
  ]);
  const bytes = new Uint8Array(84 + 50 * triangles.length);
  bytes.set(textBytes('solid and yet binary facet normal'));
  const view = new DataView(bytes.buffer);
  view.setUint32(80, triangles.length, true);
  triangles.forEach((triangle, t) => {
    triangle
      .flatMap((index) => vertices[index])
      .forEach((value, i) => {
        view.setFloat32(84 + 50 * t + 12 + 4 * i, value, true);
      });
  });
  return bytes;
}

function pcd(rows: readonly (readonly (number | string)[])[]): string {
  return (
    `# .PCD v0.7\nVERSION 0.7\nFIELDS rgb y normal z x\nSIZE 4 8 4 8 8\nTYPE U F F F F\nCOUNT 1 1 3 1 1\nWIDTH ${rows.length}\n` +
    `HEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS ${rows.length}\nDATA ascii\n${lines(
      rows.map(([x, y, z]) => [4294967295, y, 0, 0, 1, z, x]),
    )}`
  );
}

/** Contents by file name. Names with "cloud" have no faces. */
export function dialects(): Record<string, string | Uint8Array> {
  return {
    'plain.off': off('OFF', ''),
    'windows.off': off('OFF', '').replaceAll('\n', '\r\n'),
    'face_colours.off': off('OFF', '', '255 0 0'),
    'colours.off': off('COFF', '255 0 0 255'),
    'normals.off': off('NOFF', '0 0 1'),
    'plain.obj': obj((index) => `${index + 1}`),
    'all.obj': obj((index) => `${index + 1}/1/1`),
    'no_texture.obj': obj((index) => `${index + 1}//1`),
    'negative.obj': obj((index) => `${index - vertices.length}`),
    'colours.obj': obj((index) => `${index + 1}`, '0.5 0.25 1'),
    'continued.obj': obj((index) => `${index + 1}`).replace(/^(f \d+ \d+) /gm, '$1 \\\n'),
    'little.ply': ply(true),
    'big.ply': ply(false),
    'solid.stl': stl(),
    'cloud.xyz': `# X Y Z I\n${lines(CLOUD.map((row) => [...row, 7]))}`,
    'cloud.txt': CLOUD.map((row) => `${row.join(',')}\n`).join(''),
    'cloud.pcd': pcd(CLOUD),
    'holes.pcd': pcd(CLOUD.map((row, i) => (i % 7 === 3 ? ['nan', 'nan', 'nan'] : row))),
  };
}
