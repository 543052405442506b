/**
 * Reads PLY, text and binary of both byte orders, meshes and clouds. Source: G. Turk, "The PLY Polygon File Format",
 * 1994. Only positions and faces are kept; all other elements and properties are skipped.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import type { Remarks } from './remarks.ts';
import { SCALARS, type ScalarName, viewOf } from './scalars.ts';
import { Scanner } from './scanner.ts';
import { headerCount, readTextHeader } from './text_header.ts';

interface Property {
  readonly name: string;
  readonly type: ScalarName;
  /** Type of a list's length; null if the property is not a list. */
  readonly countType: ScalarName | null;
}

interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: Property[];
}

/** The data, a row per element. `what` names the value in errors. */
interface Rows {
  begin(what: string): void;
  /** A count or an index. */
  number(type: ScalarName, what: string): number;
  /** May be NaN. */
  coordinate(type: ScalarName, what: string): number;
  skip(type: ScalarName, what: string): void;
  end(): void;
  readonly remarks: Remarks;
}

const TYPES: Readonly<Record<string, ScalarName>> = {
  char: 'i1',
  uchar: 'u1',
  short: 'i2',
  ushort: 'u2',
  int: 'i4',
  uint: 'u4',
  float: 'f4',
  double: 'f8',
  int8: 'i1',
  uint8: 'u1',
  int16: 'i2',
  uint16: 'u2',
  int32: 'i4',
  uint32: 'u4',
  float32: 'f4',
  float64: 'f8',
  int64: 'i8',
  uint64: 'u8',
};

/** @param name the file name in error messages */
export function parsePly(bytes: Uint8Array, name: string): Geometry {
  if (bytes[0] !== 0x70 || bytes[1] !== 0x6c || bytes[2] !== 0x79) {
    throw badFile(name, 'not a PLY file: it does not begin with ply', 'Check that the extension matches the content.');
  }
  const { lines, end } = readTextHeader(bytes, name, (words) => words[0] === 'end_header');
  const { format, elements } = readElements(lines, name);
  const rows = format === 'ascii' ? textRows(bytes, end, name) : binaryRows(bytes, end, format, name);
  const mesh = new MeshBuilder(name);
  for (const element of elements) {
    if (element.properties.length === 0) continue; // takes no bytes, and its count may be huge
    const corners = cornersOf(element, name);
    for (let row = 0; row < element.count; row++) readRow(element, corners, row, rows, mesh);
  }
  return mesh.finish(rows.remarks);
}

function readElements(lines: string[][], name: string): { format: string; elements: PlyElement[] } {
  const elements: PlyElement[] = [];
  let format = '';
  for (const words of lines.slice(1)) {
    const [keyword, first, second] = words;
    if (keyword === 'format') format = first;
    else if (keyword === 'element') {
      elements.push({
        name: first,
        count: headerCount(second, `number of ${quoted(first ?? '')}`, name),
        properties: [],
      });
    } else if (keyword === 'property') {
      if (elements.length === 0) throw badFile(name, 'its header has a property before the first element');
      elements[elements.length - 1].properties.push(readProperty(words, name));
    }
  }
  if (!['ascii', 'binary_little_endian', 'binary_big_endian'].includes(format)) {
    throw badFile(name, `its format is ${quoted(format ?? '')}`, 'Save it as ascii or binary_little_endian.');
  }
  const vertex = elements.find((element) => element.name === 'vertex');
  const has = (axis: string) => vertex?.properties.some((property) => property.name === axis && !property.countType);
  if (!vertex || !['x', 'y', 'z'].every(has)) throw badFile(name, 'its header has no vertex element with x, y and z');
  if (elements.some((element) => element.name === 'tristrips' && element.count > 0)) {
    throw badFile(name, 'triangle strips are not supported', 'Save it with faces instead.');
  }
  return { format, elements };
}

function readProperty(words: string[], name: string): Property {
  const isList = words[1] === 'list';
  const types = (isList ? words.slice(2, 4) : words.slice(1, 2)).map((word) => {
    if (Object.hasOwn(TYPES, word)) return TYPES[word];
    throw badFile(name, `its header has a property of unknown type ${quoted(word)}`);
  });
  const property = words[isList ? 4 : 2];
  if (property === undefined) throw badFile(name, `its header has the incomplete line ${quoted(words.join(' '))}`);
  return { name: property.toLowerCase(), type: types[types.length - 1], countType: isList ? types[0] : null };
}

/** Elements that are faces. Others may have lists too: a `polyline` is not a polygon. */
const FACES = /^(face|facet|polygon|poly|tri|triangle|quad)s?$/i;
/** Stanford's range images list the vertex of each pixel under the name of a face's corners. */
const RANGE_IMAGE = 'range_grid';

/**
 * The list of a face's corners: the one called `vertex_indices` or `vertex_index`, or else the only list of a face.
 * Null for elements that are not faces.
 */
function cornersOf({ name, count, properties }: PlyElement, file: string): Property | null {
  const lists = properties.filter(({ countType }) => countType);
  const named = lists.find((property) => /^vertex_(indices|index)$/.test(property.name));
  if (named && name !== RANGE_IMAGE) return named;
  if (!FACES.test(name) || count === 0) return null;
  if (lists.length === 1) return lists[0];
  const what = `its header does not say which list of ${quoted(name)} holds the corners of a face`;
  throw badFile(file, what, 'Call the list vertex_indices.');
}

function readRow(
  { name, properties, count }: PlyElement,
  corners: Property | null,
  row: number,
  rows: Rows,
  mesh: MeshBuilder,
): void {
  const where = `${name} ${row} of ${count}`;
  const position = [0, 0, 0];
  rows.begin(where);
  for (const property of properties) {
    if (property.countType) {
      const length = rows.number(property.countType, `the length of a list of ${where}`);
      if (!Number.isInteger(length) || length < 0)
        throw badFile(mesh.name, `a list of ${where} has the length ${length}`);
      if (property === corners) mesh.face();
      for (let i = 0; i < length; i++) {
        if (property === corners) mesh.corner(rows.number(property.type, `a corner of ${where}`));
        else rows.skip(property.type, `a value of ${where}`);
      }
    } else {
      const axis = name === 'vertex' ? ['x', 'y', 'z'].indexOf(property.name) : -1;
      const what = `${property.name} of ${where}`;
      if (axis >= 0) position[axis] = rows.coordinate(property.type, what);
      else rows.skip(property.type, what);
    }
  }
  rows.end();
  if (name === 'vertex') mesh.vertex(position[0], position[1], position[2]);
}

/** One row per line; what follows the properties on a line is skipped. */
function textRows(bytes: Uint8Array, begin: number, name: string): Rows {
  const scanner = new Scanner(bytes, name, { comment: '' });
  scanner.position = begin;
  return {
    begin: (what) => scanner.seekRecord(what),
    number: (_, what) => scanner.number(what),
    coordinate: (_, what) => scanner.coordinate(what),
    skip: (_, what) => scanner.skip(what),
    end: () => scanner.endLine(),
    get remarks() {
      return scanner.remarks;
    },
  };
}

function binaryRows(bytes: Uint8Array, begin: number, format: string, name: string): Rows {
  const view = viewOf(bytes);
  const little = format === 'binary_little_endian';
  let position = begin;
  const read = (type: ScalarName, what: string): number => {
    const { bytes: size, get } = SCALARS[type];
    if (position + size > bytes.length) throw badFile(name, `the file ends before ${what}`);
    position += size;
    return get(view, position - size, little);
  };
  return { begin() {}, number: read, coordinate: read, skip: read, end() {}, remarks: {} };
}
