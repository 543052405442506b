/**
 * Reads MNIST's IDX files, plain or gzipped: a big-endian header (magic, sizes), then one byte per value.
 * Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits". Node only.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RomoError } from '../../tensor/error.ts';

const IMAGES_MAGIC = 2051; // unsigned bytes, three dimensions
const LABELS_MAGIC = 2049; // unsigned bytes, one dimension

export interface IdxImages {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** [count, rows, columns] */
  readonly pixels: Uint8Array;
}

/**
 * Finds an IDX file in a folder by its usual names: `train-images-idx3-ubyte`, also with a dot instead of the second
 * dash, each also with `.gz`.
 * @param name as on MNIST's web page, for example `t10k-labels-idx1-ubyte`
 */
export async function findIdxFile(folder: string, name: string): Promise<string> {
  let present: string[];
  try {
    present = await readdir(folder);
  } catch (cause) {
    throw new RomoError(
      'file',
      `mnist3d: cannot read the folder ${folder}: ${(cause as Error).message}`,
      `Give the folder that holds MNIST's files, ${name}.gz among them.`,
    );
  }
  const dotted = name.replace('-idx', '.idx');
  const candidates = [name, `${name}.gz`, dotted, `${dotted}.gz`];
  const found = candidates.map((candidate) => nameIn(present, candidate)).find((own) => own !== undefined);
  if (found === undefined) {
    throw new RomoError(
      'file',
      `mnist3d: ${folder} has neither ${name} nor ${name}.gz`,
      "Put MNIST's four files there: train and t10k, images-idx3-ubyte and labels-idx1-ubyte each.",
    );
  }
  return join(folder, found);
}

/** How a file is spelled in a folder, in any case. */
export function nameIn(present: readonly string[], name: string): string | undefined {
  return present.find((own) => own === name) ?? present.find((own) => own.toLowerCase() === name.toLowerCase());
}

/** Reads the first `limit` images of an image file. */
export async function readIdxImages(path: string, limit = Number.POSITIVE_INFINITY): Promise<IdxImages> {
  const { sizes, values } = await readIdx(path, IMAGES_MAGIC, 'images');
  const [total, rows, columns] = sizes;
  const count = Math.min(total, limit);
  // A copy, so that the whole file need not stay in memory.
  return { count, rows, columns, pixels: values.slice(0, count * rows * columns) };
}

/** Reads the first `limit` labels of a label file, one byte per object. */
export async function readIdxLabels(path: string, limit = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const { sizes, values } = await readIdx(path, LABELS_MAGIC, 'labels');
  return values.slice(0, Math.min(sizes[0], limit));
}

async function readIdx(path: string, magic: number, what: string): Promise<{ sizes: number[]; values: Uint8Array }> {
  const fix = 'Download the file again; the MD5 sums of the four files are published with MNIST.';
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (cause) {
    throw new RomoError('file', `mnist3d: cannot read ${path}: ${(cause as Error).message}`, fix);
  }
  const dimensions = magic & 0xff;
  const header = 4 + 4 * dimensions;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < header || view.getUint32(0) !== magic) {
    const came = bytes.length < 4 ? `${bytes.length} bytes` : `magic number ${view.getUint32(0)}`;
    throw new RomoError('file', `mnist3d: ${path} is not an IDX file of ${what}: ${came}, expected ${magic}`, fix);
  }
  const sizes = Array.from({ length: dimensions }, (_, dimension) => view.getUint32(4 + 4 * dimension));
  const expected = sizes.reduce((product, size) => product * size, 1);
  if (bytes.length - header !== expected) {
    throw new RomoError(
      'file',
      `mnist3d: ${path} should have ${sizes.join(' x ')} = ${expected} bytes after its header, ` +
        `it has ${bytes.length - header}`,
      fix,
    );
  }
  return { sizes, values: bytes.subarray(header) };
}
