/**
 * Reads PLY, text and binary of both byte orders, meshes and clouds. Source: G. Turk, "The PLY Polygon File Format",
 * 1994. Only positions and faces are kept; all other elements and properties are skipped.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
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

/** Reads the next number of the data. */
type Read = (type: ScalarName, what: string) => number;

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
};

/** @param name the file name in error messages */
export function parsePly(bytes: Uint8Array, name: string): Geometry {
  if (bytes[0] !== 0x70 || bytes[1] !== 0x6c || bytes[2] !== 0x79) {
    throw badFile(name, 'not a PLY file: it does not begin with ply', 'Check that the extension matches the content.');
  }
  const { lines, end } = readTextHeader(bytes, name, (words) => words[0] === 'end_header');
  const { format, elements } = readElements(lines, name);
  const read = format === 'ascii' ? textReader(bytes, end, name) : binaryReader(bytes, end, format, name);
  const mesh = new MeshBuilder(name);
  for (const element of elements) {
    if (element.properties.length === 0) continue; // takes no bytes, and its count may be huge
    for (let row = 0; row < element.count; row++) readRow(element, row, read, mesh);
  }
  return mesh.finish();
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
  return { name: property, type: types[types.length - 1], countType: isList ? types[0] : null };
}

function readRow({ name, properties, count }: PlyElement, row: number, read: Read, mesh: MeshBuilder): void {
  const where = `${name} ${row} of ${count}`;
  const position = [0, 0, 0];
  for (const property of properties) {
    if (property.countType) {
      const length = read(property.countType, `the length of a list of ${where}`);
      if (!Number.isInteger(length) || length < 0)
        throw badFile(mesh.name, `a list of ${where} has the length ${length}`);
      const corners = name === 'face' && /^vertex_(indices|index)$/.test(property.name);
      if (corners) mesh.face();
      for (let i = 0; i < length; i++) {
        const value = read(property.type, `a value of ${where}`);
        if (corners) mesh.corner(value);
      }
    } else {
      const value = read(property.type, `${property.name} of ${where}`);
      const axis = ['x', 'y', 'z'].indexOf(property.name);
      if (axis >= 0) position[axis] = value;
    }
  }
  if (name === 'vertex') mesh.vertex(position[0], position[1], position[2]);
}

function textReader(bytes: Uint8Array, begin: number, name: string): Read {
  const scanner = new Scanner(bytes, name, '');
  scanner.position = begin;
  return (_type, what) => scanner.number(what);
}

function binaryReader(bytes: Uint8Array, begin: number, format: string, name: string): Read {
  const view = viewOf(bytes);
  const little = format === 'binary_little_endian';
  let position = begin;
  return (type, what) => {
    const { bytes: size, get } = SCALARS[type];
    if (position + size > bytes.length) throw badFile(name, `the file ends before ${what}`);
    position += size;
    return get(view, position - size, little);
  };
}
