/**
 * Reads PCD, the point cloud format of PCL and RGB-D Object: text, binary and compressed.
 * Source: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
 *
 * By the format's convention, a point with a NaN coordinate is a pixel without depth; such points are left out.
 * VIEWPOINT is ignored.
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
  const add = (x: number, y: number, z: number) => {
    if (!Number.isNaN(x + y + z) || [x, y, z].some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) {
      cloud.vertex(x, y, z);
    }
  };
  if (header.mode === 'ascii') readText(bytes, end, header, axes, name, add);
  else if (header.mode === 'binary') {
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
  const names = list('FIELDS');
  if (names.length === 0) throw badFile(name, 'not a PCD file: its header has no FIELDS');
  const counts = values.has('COUNT') ? list('COUNT') : names.map(() => '1');
  let stride = 0;
  let total = 0;
  const fields = names.map((field, i): Field => {
    const type = `${(list('TYPE')[i] ?? '').toLowerCase()}${list('SIZE')[i] ?? ''}`;
    if (!isScalarName(type))
      throw badFile(name, `its header has the field ${quoted(field)} of unknown type ${quoted(type)}`);
    const count = headerCount(counts[i], `COUNT of ${quoted(field)}`, name);
    const offset = stride;
    stride += count * SCALARS[type].bytes;
    total += count;
    return { name: field, type, count, offset };
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

function readText(bytes: Uint8Array, begin: number, header: PcdHeader, axes: Field[], name: string, add: Add): void {
  const scanner = new Scanner(bytes, name);
  scanner.position = begin;
  const point = [0, 0, 0];
  for (let i = 0; i < header.points; i++) {
    for (const field of header.fields) {
      const axis = axes.indexOf(field);
      if (axis >= 0) point[axis] = scanner.numberOrNaN(`${field.name} of point ${i} of ${header.points}`);
      else for (let k = 0; k < field.count; k++) scanner.word();
    }
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
