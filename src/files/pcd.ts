/**
 * Reads PCD, the point cloud format of PCL and RGB-D Object: text, binary and compressed.
 * Source: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
 *
 * Holes are left out, see holes.ts. VIEWPOINT is ignored. Version .5 calls FIELDS COLUMNS and has only 32-bit floats.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { decompressLzf, LZF_LARGEST_RATIO } from './lzf.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { isScalarName, SCALARS, type ScalarName, viewOf } from './scalars.ts';
import { Scanner } from './scanner.ts';
import { headerCount, readTextHeader } from './text_header.ts';

interface Field {
  readonly name: string;
  readonly type: ScalarName;
  readonly count: number;
  /** Of this field within a point, in bytes. */
  readonly offset: number;
}

interface PcdHeader {
  readonly fields: Field[];
  /** Bytes per point. */
  readonly stride: number;
  readonly points: number;
  readonly mode: string;
}

const MOST_VALUES = 100_000; // per point; some descriptors have hundreds

/** @param name the file name in error messages */
export function parsePcd(bytes: Uint8Array, name: string): Geometry {
  const { lines, end } = readTextHeader(bytes, name, (words) => words[0] === 'DATA');
  const header = readHeader(lines, name);
  const axes = ['x', 'y', 'z'].map((axis) => {
    const field = header.fields.find((candidate) => candidate.name === axis);
    if (field?.count !== 1) throw badFile(name, `its header has no field ${axis}`);
    return field;
  });
  const cloud = new MeshBuilder(name);
  const add = (x: number, y: number, z: number) => cloud.vertex(x, y, z);
  if (header.mode === 'ascii') {
    const scanner = new Scanner(bytes, name);
    scanner.position = end;
    readText(scanner, header, axes, add);
    return cloud.finish(scanner.remarks);
  }
  if (header.mode === 'binary') {
    const data = bytes.subarray(end);
    checkRoom(header, data.length, name);
    readBinary(data, header, axes, add, (field, point) => point * header.stride + field.offset);
  } else if (header.mode === 'binary_compressed') {
    const data = unpack(bytes.subarray(end), header, name);
    // Stored field by field: all x, then all y.
    readBinary(
      data,
      header,
      axes,
      add,
      (field, point) => header.points * field.offset + SCALARS[field.type].bytes * point,
    );
  } else throw badFile(name, `its DATA is ${quoted(header.mode)}`, 'Save it as ascii, binary or binary_compressed.');
  return cloud.finish();
}

function readHeader(lines: string[][], name: string): PcdHeader {
  const values = new Map(lines.map(([keyword, ...words]) => [keyword, words]));
  const list = (keyword: string) => values.get(keyword) ?? [];
  const names = list(values.has('FIELDS') ? 'FIELDS' : 'COLUMNS');
  if (names.length === 0) throw badFile(name, 'not a PCD file: its header has no FIELDS');
  const listOr = (keyword: string, absent: string) => (values.has(keyword) ? list(keyword) : names.map(() => absent));
  const [sizes, types, counts] = [listOr('SIZE', '4'), listOr('TYPE', 'F'), listOr('COUNT', '1')];
  let stride = 0;
  let total = 0;
  const fields = names.map((field, i): Field => {
    const type = `${(types[i] ?? '').toLowerCase()}${sizes[i] ?? ''}`;
    if (!isScalarName(type))
      throw badFile(name, `its header has the field ${quoted(field)} of unknown type ${quoted(type)}`);
    const count = headerCount(counts[i], `COUNT of ${quoted(field)}`, name);
    const offset = stride;
    stride += count * SCALARS[type].bytes;
    total += count;
    return { name: field.toLowerCase(), type, count, offset };
  });
  if (total > MOST_VALUES) throw badFile(name, `a point has ${total} values`, `At most ${MOST_VALUES} are read.`);
  const size = () =>
    headerCount(list('WIDTH')[0], 'WIDTH', name) *
    (values.has('HEIGHT') ? headerCount(list('HEIGHT')[0], 'HEIGHT', name) : 1);
  const points = values.has('POINTS') ? headerCount(list('POINTS')[0], 'POINTS', name) : size();
  return { fields, stride, points, mode: (list('DATA')[0] ?? '').toLowerCase() };
}

function checkRoom({ points, stride }: PcdHeader, bytes: number, name: string): void {
  if (points * stride <= bytes) return;
  throw badFile(name, `its header says ${points} points of ${stride} bytes, but only ${bytes} bytes follow`);
}

type Add = (x: number, y: number, z: number) => void;

/** One point per line; what follows the fields on a line is skipped. */
function readText(scanner: Scanner, { points, fields }: PcdHeader, axes: Field[], add: Add): void {
  const point = [0, 0, 0];
  for (let i = 0; i < points; i++) {
    scanner.seekRecord(`point ${i} of ${points}`);
    for (const field of fields) {
      const what = `${field.name} of point ${i} of ${points}`;
      const axis = axes.indexOf(field);
      if (axis >= 0) point[axis] = scanner.coordinate(what);
      else for (let k = 0; k < field.count; k++) scanner.skip(what);
    }
    scanner.endLine();
    add(point[0], point[1], point[2]);
  }
}

function readBinary(
  data: Uint8Array,
  { points }: PcdHeader,
  axes: Field[],
  add: Add,
  offset: (field: Field, point: number) => number,
): void {
  const view = viewOf(data);
  for (let i = 0; i < points; i++) {
    const [x, y, z] = axes.map((field) => SCALARS[field.type].get(view, offset(field, i), true));
    add(x, y, z);
  }
}

function unpack(data: Uint8Array, header: PcdHeader, name: string): Uint8Array {
  const [packed, size] = data.length < 8 ? [0, 0] : [0, 4].map((at) => viewOf(data).getUint32(at, true));
  if (data.length < 8 || packed > data.length - 8) {
    throw badFile(name, `says ${packed} bytes of compressed points, but has ${Math.max(0, data.length - 8)}`);
  }
  if (size > LZF_LARGEST_RATIO * packed) throw badFile(name, `cannot unpack ${packed} bytes to ${size}`);
  checkRoom(header, size, name);
  const unpacked = decompressLzf(data.subarray(8, 8 + packed), size);
  if (!unpacked) throw badFile(name, 'its compressed points are damaged');
  return unpacked;
}
