/**
 * Our readers against those of others: numpy, h5py, Pillow, Assimp and PCL. What these read in test/files is stored in
 * others.json by tools/oracle/others.py. Where they are installed, they read everything again, and new files as well.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Geometry } from '../../../src/files/geometry.ts';
import { openPointClouds } from '../../../src/files/hdf5.ts';
import { readGeometry } from '../../../src/files/read.ts';
import { dialects } from '../../support/dialects.ts';
import { filePath, readFitted } from '../../support/files.ts';

const test = suite('readers of others');

/** What a reader finds in a file: numbers, lists of numbers, and pixels in hexadecimal. */
type Found = Readonly<Record<string, unknown>>;

const STORED: Readonly<Record<string, Found>> = JSON.parse(readFileSync(filePath('others.json'), 'utf8'));

const ENDINGS: readonly [RegExp, (path: string, theirs: Found) => Promise<Found>][] = [
  [/\.h5$/, groups],
  [/\.(png|jpg|webp)$/, picture],
  [/./, async (path) => geometry(await readGeometry(path))],
];

/** The same findings by our readers. */
const read = (path: string, theirs: Found): Promise<Found> =>
  (ENDINGS.find(([ending]) => ending.test(path)) as (typeof ENDINGS)[number])[1](path, theirs);

function bounds(rows: readonly (readonly number[])[]) {
  const extreme = (choose: (...values: number[]) => number) =>
    [0, 1, 2].map((axis) => rows.reduce((found, row) => choose(found, row[axis]), rows[0][axis]));
  return { low: extreme(Math.min), high: extreme(Math.max) };
}

function geometry({ positions, triangles }: Geometry): Found {
  const points = Array.from({ length: positions.length / 3 }, (_, i) => Array.from(positions.slice(3 * i, 3 * i + 3)));
  if (!triangles) {
    const some = [0, 1, Math.floor(points.length / 2), points.length - 1].map((i) => points[i]);
    return { points: points.length, ...bounds(points), some };
  }
  const centroid = [0, 0, 0];
  const used: number[][] = [];
  let [area, volume] = [0, 0];
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [0, 1, 2].map((k) => points[triangles[t + k]]);
    const [a, b, c] = corners;
    const own = Math.hypot(...cross(minus(b, a), minus(c, a))) / 2;
    if (own === 0) continue;
    used.push(...corners);
    area += own;
    volume += cross(b, c).reduce((sum, value, axis) => sum + (a[axis] * value) / 6, 0);
    for (const axis of [0, 1, 2]) centroid[axis] += (own * (a[axis] + b[axis] + c[axis])) / 3;
  }
  const mean = centroid.map((value) => value / area);
  return { triangles: used.length / 3, ...bounds(used), area, centroid: mean, volume };
}

const minus = (a: readonly number[], b: readonly number[]) => a.map((value, axis) => value - b[axis]);
const cross = ([ax, ay, az]: readonly number[], [bx, by, bz]: readonly number[]) => [
  ay * bz - az * by,
  az * bx - ax * bz,
  ax * by - ay * bx,
];

async function groups(path: string): Promise<Found> {
  const file = await openPointClouds(path);
  try {
    return { ...geometry(await file.points(1)), label: await file.label(1), groups: file.length };
  } finally {
    await file.close();
  }
}

/** Pictures that are not square have margins. */
async function picture(path: string, { width, height, step }: Found): Promise<Found> {
  const [w, h, by] = [width, height, step].map(Number);
  const size = Math.max(w, h);
  const image = await readFitted(path, { size, channels: 3 });
  const bytes: number[] = [];
  for (let y = 0; y < h; y += by) {
    for (let x = 0; x < w; x += by) {
      const at = 3 * ((y + (size - h) / 2) * size + x + (size - w) / 2);
      bytes.push(...image.subarray(at, at + 3).map((value) => 255 * value));
    }
  }
  return { width, height, step, pixels: Buffer.from(bytes.map(Math.round)).toString('hex') };
}

/** JPEG decoders may round differently, and so may transparency. */
const PIXELS = 2;
/** Of the longest coordinate: float32. Sums over triangles, which Assimp writes with six digits, differ by more. */
const [NUMBERS, SUMS] = [2e-6, 3e-5];
const UNITS: Readonly<Record<string, number>> = { centroid: 1, area: 2, volume: 3 };

function same(ours: Found, theirs: Found, name: string): void {
  assert.equal(Object.keys(ours), Object.keys(theirs), name);
  const numbers = (found: Found) => Object.values(found).flat(2).map(Number);
  const unit = Math.max(1, ...[theirs.low, theirs.high].flat().map((value) => Math.abs(Number(value ?? 0))));
  for (const [key, value] of Object.entries(theirs)) {
    const [mine, other, most] =
      key === 'pixels'
        ? [...[ours[key], value].map((text) => [...Buffer.from(String(text), 'hex')]), PIXELS]
        : [
            ...[ours[key], value].map((own) => numbers({ own })),
            key in UNITS ? SUMS * unit ** UNITS[key] : NUMBERS * unit,
          ];
    const [a, b] = [mine as number[], other as number[]];
    assert.is(a.length, b.length, `${name}: ${key}`);
    const worst = a.reduce((found, own, i) => Math.max(found, Math.abs(own - b[i])), 0);
    assert.ok(worst <= Number(most), `${name}: ${key} differs by ${worst}: ${a.slice(0, 24)} and ${b.slice(0, 24)}`);
  }
}

for (const [name, theirs] of Object.entries(STORED)) {
  test(name, async () => same(await read(filePath(name), theirs), theirs, name));
}

/** @returns null if Python or one of its packages is missing */
function byOthers(folder: string): Record<string, Found> | null {
  const python = ['/usr/bin/python3', 'python3', 'python'].find(
    (command) => spawnSync(command, ['-c', 'import numpy, h5py, PIL']).status === 0,
  );
  if (!python) return null;
  const { status, stdout, stderr } = spawnSync(python, ['tools/oracle/others.py', folder], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

test('now: the stored findings, and files of many dialects', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-dialects-'));
  try {
    const files = Object.entries(dialects());
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    const [stored, fresh] = [byOthers('test/files'), byOthers(folder)];
    if (!stored || !fresh) {
      console.log('readers of others: Python with numpy, h5py and Pillow is not there, they are not asked anew');
      return;
    }
    const missing = [...Object.keys(STORED), ...files.map(([name]) => name)].filter(
      (name) => !(name in stored || name in fresh),
    );
    if (missing.length > 0) console.log(`readers of others: assimp-utils or pcl-tools is not there for ${missing}`);
    for (const [name, theirs] of Object.entries(stored)) same(STORED[name], theirs, name);
    for (const [name, theirs] of Object.entries(fresh)) {
      same(await read(join(folder, name), theirs), theirs, name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
