/**
 * Reads a cloud from text: x y z per line, separated by blanks, commas or semicolons. Further columns are ignored. In
 * front of the points may stand comments (# or //), a line of column names, and the number of points.
 */
import { badFile, quoted } from './errors.ts';
import type { Geometry } from './geometry.ts';
import { MeshBuilder } from './mesh_builder.ts';
import { MOST_CHANNELS } from './npy.ts';
import { Scanner } from './scanner.ts';

const XYZ = ['x', 'y', 'z'];
const COMMENT = /^(#|\/\/)\s*/;
const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i;
/** Begins with a letter, in any usual encoding. U+2212, a minus sign, begins with e2. */
const WORDS = /^["']?[a-z\xc3-\xdf\xe3-\xe9]/i;
const HOLE = /^["']?[+-]?(s?nan|inf(inity)?|n\/?a|null)\b/i;
/** `0,5, 1,5, 2` */
const TWO_COMMAS = /^[+-]?\d+,\d+,\s+[+-]?\d+,\d+,\s+[+-]?\d+(,\d+)?(,?\s|$)/;

interface Header {
  /** offset of the first point's line */
  readonly end: number;
  /** columns of x, y and z */
  readonly columns: readonly number[];
  /** columns of the first point's line, as far as it was looked at */
  readonly width: number;
  /** points that the file says it has; null if it does not */
  readonly points: number | null;
  readonly separator: ',' | ';' | '';
}

/** @param name the file name in error messages */
export function parseXyz(bytes: Uint8Array, name: string): Geometry {
  const { end, columns, width, points, separator } = readHeader(bytes, name);
  const scanner = new Scanner(bytes, name, { separator });
  scanner.position = end;
  const cloud = new MeshBuilder(name);
  const last = Math.max(...columns);
  const point = [0, 0, 0];
  while (scanner.seek()) {
    for (let column = 0; column <= last; column++) {
      const axis = columns.indexOf(column);
      if (!scanner.seekColumn(column === 0)) throw scanner.error('fewer than three numbers on the line');
      if (axis >= 0) point[axis] = scanner.coordinate(`${XYZ[axis]} of point ${cloud.vertices}`);
      else scanner.skipColumn();
    }
    cloud.vertex(point[0], point[1], point[2]);
    scanner.endLine();
  }
  if (points !== null && points !== cloud.vertices) {
    throw scanner.error(`its first line says ${points} points, but ${cloud.vertices} follow`);
  }
  if (cloud.vertices <= MOST_CHANNELS && width > MOST_CHANNELS) {
    const what = `has ${cloud.vertices} lines of ${width} or more numbers, which look like columns of points`;
    throw badFile(name, what, 'Save one point per line.');
  }
  return cloud.finish(scanner.remarks);
}

function readHeader(bytes: Uint8Array, name: string): Header {
  const scanner = new Scanner(bytes, name, { comment: '' });
  const headings: string[] = [];
  let points: number | null = null;
  let hasNames = false;
  while (scanner.seek()) {
    const line = scanner.restOfLine().trim();
    const words = line.split(/[\s,;]+/).filter((word) => word !== '');
    const isComment = COMMENT.test(line);
    const isNames: boolean = !hasNames && WORDS.test(line) && !HOLE.test(line);
    if (isComment || isNames) headings.push(line);
    else if (points === null && words.length === 1 && /^\d+$/.test(words[0])) points = Number(words[0]);
    else {
      if (TWO_COMMAS.test(line)) {
        throw scanner.error(
          'commas stand both within and between numbers',
          'Export the file again, with decimal points.',
        );
      }
      const separator = separatorOf(line);
      const fields = line.split(separator || /\s+/);
      const width = fields.length;
      const named = headings.reverse().map((heading) => columnsNamed(heading, width)); // the line nearest to the points
      const columns = named.find((found) => found !== null) ?? [0, 1, 2];
      if (columns.some((column) => /\S\s+\S/.test(fields[column] ?? ''))) {
        const what = `some numbers are separated by ${quoted(separator)}, others by blanks`;
        throw scanner.error(what, 'Export the file again, without commas between thousands.');
      }
      return { end: scanner.position, columns, width, points, separator };
    }
    hasNames ||= isNames;
    scanner.endLine();
  }
  return { end: scanner.position, columns: [0, 1, 2], width: 0, points, separator: '' };
}

/**
 * The columns called x, y and z, in any order and between others; null if the line does not name them.
 * @param width of the first point's line: a comment that names more or fewer is prose
 */
function columnsNamed(line: string, width: number): number[] | null {
  const plain = line.replace(COMMENT, '').replace(/\s*(\([^)]*\)|\[[^\]]*\])/g, ''); // units, such as X [m]
  const separator = [';', ',', '\t'].find((mark) => plain.split(mark).length >= 3) ?? /\s+/;
  const names = plain.split(separator).map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^["']|["']$/g, ''),
  );
  if (COMMENT.test(line) && names.length !== width) return null;
  const columns = XYZ.map((axis) => names.indexOf(axis));
  return columns.every((column) => column >= 0) ? columns : null;
}

/** What separates the columns of the first point; a comma that does not is a decimal comma. */
function separatorOf(line: string): ',' | ';' | '' {
  if (line.split(';').filter((word) => word.trim() !== '').length >= 3) return ';';
  const words = line.split(/\s+/);
  const isDecimal = (word: string) => NUMBER.test(word) && !word.endsWith(',');
  if (words.length >= 3 && words.every((word) => !word.includes(',') || isDecimal(word))) return '';
  return line.includes(',') ? ',' : '';
}
