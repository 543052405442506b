/**
 * What a gallery in files stores as text: `gallery.json`, which lists the parts that count, and labels, a line of JSON
 * per row of a part. Needs nothing of Node: pages read galleries by it, too.
 */
import { RomoError } from '../../tensor/error.ts';
import type { Metadata, Modality, ModelStamp, Numbers } from '../gallery.ts';

export const MANIFEST = 'gallery.json';
const FORMAT = 'romo-gallery';
/** Version 1 knew neither sources nor hashes, version 2 only f32. */
const VERSION = 3;
const OLDEST = 1;

/** gallery.json */
export interface Manifest {
  readonly model: ModelStamp;
  /** of the parts to be written; each part says what it has */
  readonly numbers: Numbers;
  /** number of the next part: names are never reused, because readers identify parts by name */
  readonly next: number;
  readonly parts: readonly ListedPart[];
}

export interface ListedPart {
  readonly name: string;
  /** number of its rows, dead ones included */
  readonly rows: number;
  /** indices of rows that were deleted or replaced, ascending */
  readonly dead: readonly number[];
}

/** Identifies a row. */
export interface Label {
  readonly id: string;
  readonly modality: Modality;
  /** '' if it has none */
  readonly source: string;
  /** '' if it is unknown */
  readonly hash: string;
  readonly metadata: Metadata;
}

export const broken = (name: string, what: string): RomoError =>
  new RomoError('file', `${name}: ${what}`, 'Copy the whole gallery again, or index the collection again.');

/** A gallery of f32 stays readable for programs that know version 2. */
export function encodeManifest({ model, numbers, next, parts }: Manifest): string {
  const version = numbers === 'f16' ? VERSION : 2;
  return `${JSON.stringify({ format: FORMAT, version, model, ...(numbers === 'f16' && { numbers }), next, parts }, null, 1)}\n`;
}

/** @throws RomoError `file` where the text is not a manifest, or of a later version */
export function parseManifest(text: string, name: string): Manifest {
  const { format, version, model, numbers = 'f32', next, parts } = record(parseJson(text, name), name, 'it');
  if (format !== FORMAT) throw broken(name, `is not a gallery: format is ${JSON.stringify(format)}`);
  if (!isCount(version) || version < OLDEST || version > VERSION) {
    const what = `${name} has version ${version}, this program reads ${OLDEST} to ${VERSION}`;
    throw new RomoError('file', what, 'Update the program.');
  }
  const { sha256, stage, dimension, preparation } = record(model, name, 'model');
  const isSum = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
  if (!isSum || (stage !== 'ssm' && stage !== 'rdl') || !isCount(dimension) || dimension === 0) {
    throw broken(name, `model is ${JSON.stringify(model).slice(0, 200)}`);
  }
  const prepared = preparation === undefined ? {} : { preparation: plainRecord(preparation, name, 'preparation') };
  if (numbers !== 'f32' && numbers !== 'f16') throw broken(name, `numbers is ${JSON.stringify(numbers)}`);
  if (!isCount(next)) throw broken(name, `next is ${JSON.stringify(next)}`);
  if (!Array.isArray(parts)) throw broken(name, 'it has no list of parts');
  const listed = parts.map((part): ListedPart => {
    const { name: partName, rows, dead } = record(part, name, 'a part');
    if (typeof partName !== 'string' || !/^part-\d+$/.test(partName)) throw broken(name, 'a part has no valid name');
    if (!isCount(rows)) throw broken(name, `${partName} has ${JSON.stringify(rows)} rows`);
    const isRow = (row: unknown, i: number, all: unknown[]) =>
      isCount(row) && row < rows && (i === 0 || row > (all[i - 1] as number));
    if (!Array.isArray(dead) || !dead.every(isRow))
      throw broken(name, `the dead rows of ${partName} are not rows of it`);
    return { name: partName, rows, dead };
  });
  if (new Set(listed.map((part) => part.name)).size < listed.length) throw broken(name, 'a part is listed twice');
  return { model: { sha256: sha256 as string, stage, dimension, ...prepared }, numbers, next, parts: listed };
}

export const encodeLabel = ({ id, modality, source, hash, metadata }: Label): string =>
  `${JSON.stringify({ id, modality, ...(source && { source }), ...(hash && { hash }), metadata })}\n`;

/** @throws RomoError `file` if the line is not a label */
export function parseLabel(text: string, name: string): Label {
  const { id, modality, source = '', hash = '', metadata } = record(parseJson(text, name), name, 'it');
  if (typeof id !== 'string') throw broken(name, 'it has no id');
  if (modality !== 'image' && modality !== 'points') throw broken(name, `modality is ${JSON.stringify(modality)}`);
  if (typeof source !== 'string') throw broken(name, `source is ${JSON.stringify(source)}`);
  if (typeof hash !== 'string') throw broken(name, `hash is ${JSON.stringify(hash)}`);
  return { id, modality, source, hash, metadata: plainRecord(metadata, name, 'metadata') as Metadata };
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw broken(name, `is not JSON: ${(cause as Error).message}`);
  }
}

function record(value: unknown, name: string, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(name, `${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

/** A JSON object of plain values. */
function plainRecord(value: unknown, name: string, what: string): Record<string, string | number> {
  const fields = record(value, name, what);
  for (const [field, one] of Object.entries(fields)) {
    if (one !== null && typeof one === 'object')
      throw broken(name, `${what} ${JSON.stringify(field)} is not a plain value`);
  }
  return fields as Record<string, string | number>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
