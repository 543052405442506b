/**
 * Safetensors, the file format of weights: 8 bytes of header length, a JSON header, then raw little-endian values.
 * Source: https://github.com/huggingface/safetensors#format
 *
 * Writing is deterministic: names are sorted, data are stored in that order, and the header is padded with spaces to a
 * multiple of 8 bytes. Equal tensors give equal files. Reading checks each size before using it.
 */
import { RomoError } from '../tensor/error.ts';
import { halfToNumber, toHalves } from './half.ts';

/** `f16`: floats that are rounded to 16 bits when they are written; they are read as f32. */
export type SafetensorDtype = 'f32' | 'f16' | 'i32' | 'u32';

/** One named array. `data` has prod(shape) values in row-major order; a scalar has shape []. */
export interface SafetensorEntry {
  readonly shape: readonly number[];
  readonly dtype: SafetensorDtype;
  readonly data: Float32Array | Int32Array | Uint32Array;
}

export interface SafetensorFile {
  readonly tensors: Record<string, SafetensorEntry>;
  readonly metadata: Record<string, string>;
}

/** In bytes; the reference reader has the same limit. */
const MAX_HEADER_BYTES = 100_000_000;
const FILE_DTYPE = { f32: 'F32', f16: 'F16', i32: 'I32', u32: 'U32' } as const;
const BYTES_PER_VALUE: Readonly<Record<string, number>> = { F32: 4, I32: 4, U32: 4, I64: 8, F64: 8, F16: 2, BF16: 2 };

/**
 * The bytes of a safetensors file.
 * @param tensors by name; `__metadata__` is reserved
 * @param metadata free text by key
 * @throws RomoError `shape` if `data` does not match shape or dtype
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafetensorEntry>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  for (const [name, entry] of Object.entries(tensors)) checkEntry(name, entry);
  const header = encodeSafetensorsHeader(tensors, metadata);
  const parts = Object.keys(tensors)
    .sort()
    .map((name) => tensors[name])
    .map(({ data, dtype }) => (dtype === 'f16' ? toHalves(data as Float32Array) : data));
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, header.length));
  file.set(header);
  let position = header.length;
  for (const part of parts) {
    file.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), position);
    position += part.byteLength;
  }
  return file;
}

/**
 * The header of a safetensors file, for callers that write the values themselves: in the order of the sorted names,
 * without gaps.
 */
export function encodeSafetensorsHeader(
  tensors: Readonly<Record<string, Omit<SafetensorEntry, 'data'>>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const fields: string[] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    fields.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  let offset = 0;
  for (const name of Object.keys(tensors).sort()) {
    const { shape, dtype } = tensors[name];
    const end = offset + elementCount(shape) * BYTES_PER_VALUE[FILE_DTYPE[dtype]];
    const range = `"data_offsets":[${offset},${end}]`;
    fields.push(`${JSON.stringify(name)}:{"dtype":"${FILE_DTYPE[dtype]}","shape":[${shape.join(',')}],${range}}`);
    offset = end;
  }
  const text = new TextEncoder().encode(`{${fields.join(',')}}`);
  const textBytes = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + textBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(textBytes), true);
  header.set(text, 8);
  return header;
}

function checkEntry(name: string, { shape, dtype, data }: SafetensorEntry): void {
  if (name === '__metadata__') {
    throw new RomoError('shape', 'safetensors: the name __metadata__ is reserved', 'Give the tensor another name.');
  }
  const kind = dtype === 'f32' || dtype === 'f16' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array;
  const size = elementCount(shape);
  if (!(data instanceof kind) || data.length !== size) {
    throw new RomoError(
      'shape',
      `safetensors: "${name}" is ${dtype} [${shape}], but data is a ${data.constructor.name} of ${data.length} values`,
      `Pass ${size} values as ${kind.name}.`,
    );
  }
}

/** The product of the dimensions; NaN if a dimension is invalid or the product is not a safe integer. */
function elementCount(shape: readonly unknown[]): number {
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || (dimension as number) < 0) return Number.NaN;
    count *= dimension as number;
    if (!Number.isSafeInteger(count)) return Number.NaN;
  }
  return count;
}

/**
 * Reads the tensors and the metadata of a safetensors file. F32, I32 and U32 keep their type; I64 becomes i32 if every
 * value fits; F64, F16 and BF16 become f32. The result shares no memory with `bytes`.
 * @param name the name in error messages, usually the path
 * @throws RomoError `file` if the file is malformed: wrong lengths, data that overlap or leave gaps, a shape that does
 *   not match its data, an unknown dtype
 */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorFile {
  const layout = safetensorsLayout(bytes, bytes.length, name);
  const tensors: Record<string, SafetensorEntry> = Object.create(null);
  for (const [key, { shape, fileDtype, begin, end }] of Object.entries(layout.tensors)) {
    // A copy, so that it is aligned. Not slice(): a Node Buffer would share its memory.
    const raw = new Uint8Array(bytes.subarray(begin, end));
    tensors[key] = { shape, ...convert(raw, fileDtype, key, name) };
  }
  return { tensors, metadata: layout.metadata };
}

/** Metadata of a file, and type, shape and place of each tensor. */
export interface SafetensorsLayout {
  /** `begin` and `end` are byte offsets in the file; fileDtype is F32, I64, ... */
  readonly tensors: Readonly<
    Record<string, { shape: readonly number[]; fileDtype: string; begin: number; end: number }>
  >;
  readonly metadata: Record<string, string>;
}

/**
 * Reads the header of a file that need not be in memory.
 * @param start the beginning of the file, at least 8 bytes plus the header length that they give
 * @param fileBytes size of the whole file
 * @throws RomoError `file` as decodeSafetensors
 */
export function safetensorsLayout(start: Uint8Array, fileBytes: number, name: string): SafetensorsLayout {
  const { header, dataStart } = readHeader(start, name);
  const tensors: Record<string, ReturnType<typeof readEntry>> = Object.create(null);
  let metadata: Record<string, string> = Object.create(null);
  const ranges: { key: string; begin: number; end: number }[] = [];
  for (const key of Object.keys(header)) {
    if (key === '__metadata__') {
      metadata = readMetadata(header[key], name);
      continue;
    }
    const entry = readEntry(header[key], key, fileBytes - dataStart, name);
    ranges.push({ key, begin: entry.begin, end: entry.end });
    tensors[key] = { ...entry, begin: dataStart + entry.begin, end: dataStart + entry.end };
  }
  checkRanges(ranges, fileBytes - dataStart, name);
  return { tensors, metadata };
}

function broken(name: string, what: string): RomoError {
  return new RomoError(
    'file',
    `${name} is not a valid safetensors file: ${what}`,
    'Copy or save the file again; it may be truncated or in another format.',
  );
}

function readHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw broken(name, `it has ${bytes.length} bytes, but the header length alone takes 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES) || 8 + Number(length) > bytes.length) {
    throw broken(name, `its header should have ${length} bytes, but the whole file has ${bytes.length}`);
  }
  const dataStart = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)));
  } catch (cause) {
    throw broken(name, `its header is not JSON (${(cause as Error).message})`);
  }
  if (!isRecord(header)) throw broken(name, 'its header is not a JSON object');
  return { header, dataStart };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (!isRecord(value)) throw broken(name, '__metadata__ is not an object');
  const metadata: Record<string, string> = Object.create(null);
  for (const key of Object.keys(value)) {
    const text = value[key];
    if (typeof text !== 'string') throw broken(name, `__metadata__ "${key}" is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(value: unknown, key: string, dataBytes: number, name: string) {
  if (!isRecord(value)) throw broken(name, `the entry of "${key}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES_PER_VALUE, dtype)) {
    const known = Object.keys(BYTES_PER_VALUE).join(', ');
    throw new RomoError(
      'file',
      `${name}: "${key}" has the unsupported dtype ${JSON.stringify(dtype)}`,
      `Save it as one of ${known}.`,
    );
  }
  if (!Array.isArray(shape) || Number.isNaN(elementCount(shape))) {
    throw broken(name, `"${key}" has the invalid shape ${JSON.stringify(shape)}`);
  }
  const isOffset = (offset: unknown) => Number.isSafeInteger(offset) && (offset as number) >= 0;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isOffset)) {
    throw broken(name, `"${key}" has the invalid data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    throw broken(name, `"${key}" is at bytes ${begin} to ${end}, but there are ${dataBytes} bytes of data`);
  }
  const needed = elementCount(shape) * BYTES_PER_VALUE[dtype];
  if (needed !== end - begin) {
    throw broken(name, `"${key}" [${shape}] of ${dtype} needs ${needed} bytes, data_offsets give it ${end - begin}`);
  }
  return { shape: shape as number[], fileDtype: dtype, begin, end };
}

/** Every byte of data belongs to exactly one tensor. */
function checkRanges(ranges: { key: string; begin: number; end: number }[], dataBytes: number, name: string): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { key, begin, end } of ranges) {
    if (begin < position) throw broken(name, `"${key}" begins at byte ${begin}, inside another tensor's data`);
    if (begin > position) throw broken(name, `bytes ${position} to ${begin}, before "${key}", are unused`);
    position = end;
  }
  if (position !== dataBytes) throw broken(name, `its tensors end at byte ${position} of ${dataBytes} bytes of data`);
}

function convert(
  { buffer }: Uint8Array<ArrayBuffer>,
  fileDtype: string,
  key: string,
  name: string,
): Omit<SafetensorEntry, 'shape'> {
  switch (fileDtype) {
    case 'F32':
      return { dtype: 'f32', data: new Float32Array(buffer) };
    case 'I32':
      return { dtype: 'i32', data: new Int32Array(buffer) };
    case 'U32':
      return { dtype: 'u32', data: new Uint32Array(buffer) };
    case 'F64':
      return { dtype: 'f32', data: Float32Array.from(new Float64Array(buffer)) };
    case 'F16':
      return { dtype: 'f32', data: Float32Array.from(new Uint16Array(buffer), halfToNumber) };
    case 'BF16':
      // bfloat16 is the upper half of a float32.
      return { dtype: 'f32', data: new Float32Array(Uint32Array.from(new Uint16Array(buffer), (b) => b << 16).buffer) };
    default:
      return { dtype: 'i32', data: Int32Array.from(new BigInt64Array(buffer), (value) => toInt32(value, key, name)) };
  }
}

function toInt32(value: bigint, key: string, name: string): number {
  if (BigInt.asIntN(32, value) !== value) {
    throw new RomoError(
      'file',
      `${name}: "${key}" holds ${value}, which does not fit into 32 bits`,
      'Save it as I32 or F32.',
    );
  }
  return Number(value);
}
