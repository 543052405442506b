/**
 * Reads occupancy grids of 30 x 30 x 30 cells from an .npz file with X_train, y_train, X_test and y_test; z is up.
 * Clouds are random points in surface cells, pictures are rendered. Node only.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badFile } from '../../files/errors.ts';
import type { NdArray } from '../../files/npy.ts';
import type { Npz } from '../../files/npz.ts';
import { readNpz } from '../../files/read.ts';
import { RomoError } from '../../tensor/error.ts';
import type { Random } from '../../tensor/random.ts';
import { normalizeCloud } from '../normalize.ts';
import { contentRandom, keptPoints } from '../prepare.ts';
import type { FoundSet, FoundSplit } from './found.ts';
import { inSharedMemory } from './mnist_idx.ts';
import type { ObjectReader, ReadOptions } from './object.ts';
import { renderedObject } from './rendered.ts';
import { GRID_SIDE, surfaceCells, voxelSurface } from './voxel_surface.ts';

const MODELNET10 = 'bathtub,bed,chair,desk,dresser,monitor,night_stand,sofa,table,toilet'.split(',');
/** Grids with fewer occupied cells come from a failed conversion. */
const LEAST_CELLS = 50;
const CELLS = GRID_SIDE ** 3;
/** The largest number below one half. */
const HALF = 0.5 - 2 ** -54;

export interface VoxelsPlan {
  readonly kind: 'voxels';
  /** for messages */
  readonly file: string;
  /** [n, 30 * 30 * 30 / 8], the first cell in the highest bit; in shared memory */
  readonly bits: Uint8Array;
}

/** @param path an .npz file, or a folder with exactly one */
export async function findVoxels(path: string): Promise<FoundSet> {
  const file = await npzFile(path);
  const npz = await readNpz(file);
  const notes: string[] = [];
  const [train, test] = [await findSplit(npz, file, 'train', notes), await findSplit(npz, file, 'test', notes)];
  // Labels may have gaps: those of ShapeNet are the offsets of WordNet's synsets.
  const present = [...new Set([...train.labels, ...test.labels])].sort((a, b) => a - b);
  const numbers = new Map(present.map((label, number) => [label, number]));
  const numbered = (split: typeof train) => ({
    ...split,
    labels: split.labels.map((label) => numbers.get(label) as number),
  });
  const unread = npz.names.filter((name) => !/^[Xy]_(train|test)$/.test(name)); // such as X_val
  if (unread.length > 0) notes.push(`arrays that are not read: ${unread.join(', ')}`);
  const isModelnet10 = `${present}` === `${MODELNET10.map((_, number) => number)}`;
  return {
    name: 'voxels',
    classNames: isModelnet10 ? MODELNET10 : present.map(String),
    mirror: true,
    rotation: { axis: 2, maxDegrees: 180 },
    channels: 1,
    train: numbered(train),
    test: numbered(test),
    inOrder: false,
    bad: [],
    notes,
  };
}

async function npzFile(path: string): Promise<string> {
  const status = await stat(path).catch((cause: Error) => {
    throw badFile(
      path,
      `cannot be read: ${cause.message}`,
      'Give an .npz file of voxels, or the folder that contains it.',
    );
  });
  if (!status.isDirectory()) return path;
  const found = (await readdir(path)).filter((name) => /^[^.].*\.npz$/i.test(name));
  if (found.length === 1) return join(path, found[0]);
  throw new RomoError(
    'data',
    `voxels: ${path} has ${found.length} .npz files`,
    'Give the file itself: voxels:FILE.npz.',
  );
}

async function findSplit(
  npz: Npz,
  file: string,
  split: string,
  notes: string[],
): Promise<FoundSplit & { labels: number[] }> {
  const grids = await npz.array(`X_${split}`);
  const { data, shape } = await npz.array(`y_${split}`);
  const count = grids.shape[0];
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (!isColumn || shape[0] !== count || !data.every((label) => Number.isInteger(label) && label >= 0)) {
    throw badFile(file, `y_${split} [${shape}] is not one whole number for each of the ${count} grids of X_${split}`);
  }
  return {
    ids: Array.from({ length: count }, (_, row) => `${split}/${row}`),
    labels: Array.from(data),
    plan: { kind: 'voxels', file: `${file}: X_${split}`, bits: packed(grids, file, split, notes) },
  };
}

/** The grids as bits. Accepts packed bits, or one number per cell in one or three axes. */
function packed({ data, shape }: NdArray, file: string, split: string, notes: string[]): Uint8Array {
  const each = shape
    .slice(1)
    .filter((length) => length !== 1)
    .join(' x '); // networks add an axis of one channel
  if (data instanceof Uint8Array && each === `${CELLS / 8}`) return inSharedMemory(data);
  if (each !== `${CELLS}` && each !== [GRID_SIDE, GRID_SIDE, GRID_SIDE].join(' x ')) {
    throw badFile(
      file,
      `X_${split} has shape [${shape}], not grids of ${GRID_SIDE} x ${GRID_SIDE} x ${GRID_SIDE} cells`,
      `Give [n, ${GRID_SIDE}, ${GRID_SIDE}, ${GRID_SIDE}], [n, ${CELLS}], or [n, ${CELLS / 8}] from numpy.packbits.`,
    );
  }
  const bits = new Uint8Array(new SharedArrayBuffer(data.length / 8));
  const threshold = data instanceof Uint8Array ? 0 : thresholdOf(data, file, split, notes);
  for (let cell = 0; cell < data.length; cell++) if (data[cell] > threshold) bits[cell >> 3] |= 0x80 >> (cell & 7);
  return bits;
}

/**
 * Cells above this are occupied: 0 for whole numbers, one half for the probabilities of a network.
 * @throws RomoError `file` for numbers that are neither, such as distances or logits
 */
function thresholdOf(data: NdArray['data'], file: string, split: string, notes: string[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [isWhole, isShare] = [true, true];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    isWhole &&= Number.isInteger(value);
    isShare &&= value >= 0 && value <= 1;
  }
  if (isWhole) return 0;
  if (isShare) {
    notes.push(`X_${split}: numbers between 0 and 1, cells of at least one half are occupied`);
    return HALF;
  }
  const what = `X_${split} has numbers from ${low} to ${high}, neither whole numbers nor probabilities`;
  throw badFile(file, what, 'Save 1 for occupied cells and 0 for empty ones.');
}

export function openVoxels({ file, bits }: VoxelsPlan, ids: readonly string[], options: ReadOptions): ObjectReader {
  return {
    async read(row) {
      const content = bits.slice((row * CELLS) / 8, ((row + 1) * CELLS) / 8);
      const grid = new Uint8Array(CELLS);
      let occupied = 0;
      for (let cell = 0; cell < CELLS; cell++) {
        grid[cell] = (content[cell >> 3] >> (7 - (cell & 7))) & 1;
        occupied += grid[cell];
      }
      if (occupied < LEAST_CELLS) {
        const problem = `row ${row} has ${occupied} occupied cells, fewer than ${LEAST_CELLS}`;
        throw badFile(file, problem, 'Remove the row, or skip it with --on-bad skip.');
      }
      if (occupied === CELLS) {
        const problem = `row ${row} has no empty cell, so it shows a full cube`;
        throw badFile(file, problem, 'Remove the row, or skip it with --on-bad skip.');
      }
      return renderedObject(
        {
          id: ids[row],
          content,
          sides: 'outer',
          async make() {
            const surface = voxelSurface(grid);
            const random = contentRandom(options.seed, content);
            const cloud = jitteredCells(surfaceCells(grid), keptPoints(options.points), random);
            return { surface, cloud, points: occupied, triangles: surface.albedo.length };
          },
        },
        options,
      );
    },
    async close() {},
  };
}

/** Points uniform in the surface cells. @param cells [n, 3], lowest corners */
function jitteredCells(cells: Float32Array, count: number, random: Random): Float32Array {
  const points = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const cell = 3 * random.integer(cells.length / 3);
    for (let axis = 0; axis < 3; axis++) points[3 * i + axis] = cells[cell + axis] + random.uniform();
  }
  return normalizeCloud(points);
}
