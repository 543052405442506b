/**
 * Digits as a hand writes them, and as solid bodies: strokes through a few points, bent, slanted and stretched at
 * random. They stand in for 3D MNIST, which cannot be shipped; the bodies are made as its recipe makes them.
 */
import type { Random } from 'romo';
import { addTriangle, cos, DIGIT_SIZE, emptyMesh, type Mesh, sin, type Vector } from 'romo/data';

type Point = readonly [number, number];
/** A line through points of the unit square, x to the right, y down; `smooth` rounds its corners. */
interface Stroke {
  readonly smooth: boolean;
  readonly points: readonly Point[];
}
/** x, y of each point, in hundredths */
const line = (...values: number[]): Stroke => ({ smooth: false, points: pairs(values) });
const curve = (...values: number[]): Stroke => ({ smooth: true, points: pairs(values) });
const pairs = (values: number[]): Point[] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i] / 100, values[2 * i + 1] / 100]);

/** The ways to write each digit, as strokes. */
const GLYPHS: readonly (readonly (readonly Stroke[])[])[] = [
  [[curve(50, 0, 12, 20, 2, 50, 14, 82, 50, 100, 86, 82, 98, 50, 88, 20, 50, 0)]],
  [[line(50, 0, 50, 100)], [line(20, 25, 55, 0, 52, 100)], [line(20, 25, 55, 0, 52, 100), line(15, 100, 85, 100)]],
  [
    [curve(8, 25, 25, 5, 60, 0, 88, 18, 85, 42, 50, 72, 5, 100), line(5, 100, 95, 100)],
    [curve(10, 20, 40, 0, 80, 12, 80, 40, 45, 75, 15, 98, 5, 85, 25, 78, 60, 92, 98, 98)],
  ],
  [
    [curve(8, 12, 40, 0, 80, 10, 82, 34, 40, 47), curve(40, 47, 85, 58, 90, 82, 50, 100, 5, 88)],
    [line(8, 0, 88, 0, 42, 40), curve(42, 40, 85, 52, 90, 82, 48, 100, 5, 88)],
  ],
  [
    [line(25, 0, 5, 60, 95, 60), line(70, 25, 65, 100)],
    [line(95, 70, 2, 70, 68, 0, 68, 100)],
    [curve(10, 2, 8, 45, 30, 55, 85, 50), line(85, 0, 82, 100)],
  ],
  [
    [line(85, 0, 20, 0, 12, 45), curve(12, 45, 50, 36, 90, 55, 85, 85, 45, 100, 5, 90)],
    [line(25, 3, 15, 45), curve(15, 45, 50, 38, 88, 58, 80, 88, 40, 100, 5, 90), line(22, 3, 95, 0)],
  ],
  [
    [curve(80, 2, 40, 20, 10, 60, 20, 93, 55, 100, 88, 82, 80, 58, 45, 52, 12, 72)],
    [curve(60, 0, 25, 35, 8, 75, 40, 100, 82, 88, 78, 60, 45, 55, 12, 75)],
  ],
  [
    [line(5, 2, 95, 2, 40, 100)],
    [line(5, 2, 95, 2, 40, 100), line(30, 50, 82, 50)],
    [line(5, 5, 92, 2), curve(92, 2, 60, 40, 42, 100)],
  ],
  [
    [curve(85, 15, 50, 0, 15, 15, 25, 40, 75, 60, 90, 82, 50, 100, 10, 82, 25, 58, 75, 38, 85, 15)],
    [
      curve(50, 0, 18, 12, 20, 38, 50, 47, 80, 36, 82, 12, 50, 0),
      curve(50, 47, 10, 62, 8, 88, 50, 100, 92, 88, 90, 62, 50, 47),
    ],
  ],
  [
    [curve(85, 20, 50, 0, 12, 18, 15, 45, 50, 55, 82, 40, 87, 15), line(87, 15, 80, 100)],
    [curve(85, 20, 50, 0, 12, 20, 20, 48, 55, 52, 84, 25), curve(84, 25, 86, 55, 65, 92, 22, 100)],
  ],
];

/** Class names of the digits in the gallery. */
export const DIGIT_CLASSES: readonly string[] = GLYPHS.map((_, digit) => `digit ${digit}`);

/** Line segments x0, y0, x1, y1, concatenated. */
type Pieces = Float64Array;

/** A digit in one person's handwriting: drawn again, it differs in small bends. */
export interface Digit {
  draw(random: Random): Pieces;
}

export function makeDigit(digit: number, random: Random): Digit {
  const strokes = GLYPHS[digit][random.integer(GLYPHS[digit].length)];
  const [bend, form] = [bends(0.09, random), slant(random)];
  return {
    draw(again) {
      const bendAgain = bends(0.03, again);
      return pieces(
        strokes.map(({ smooth, points }) =>
          (smooth ? rounded(points) : dense(points)).map(bend).map(form).map(bendAgain),
        ),
      );
    },
  };
}

/** Moves points by slow waves: strokes that meet stay connected. */
function bends(reach: number, random: Random): (point: Point) => Point {
  const waves = Array.from({ length: 4 }, () => ({
    reach: random.uniform(0, reach),
    rate: random.uniform(2, 6),
    phase: random.uniform(0, 6.28),
  }));
  const wave = (i: number, at: number) => waves[i].reach * sin(waves[i].rate * at + waves[i].phase);
  return ([x, y]) => [x + wave(0, y) + wave(1, x), y + wave(2, x) + wave(3, y)];
}

/** Narrow or wide, slanted, slightly rotated. */
function slant(random: Random): (point: Point) => Point {
  const [width, shear, angle] = [random.uniform(0.5, 0.9), random.uniform(-0.1, 0.3), random.uniform(-0.15, 0.15)];
  const [c, s] = [cos(angle), sin(angle)];
  return ([x, y]) => {
    const [u, v] = [width * (x - 0.5) - shear * (y - 0.5), y - 0.5];
    return [c * u - s * v, s * u + c * v];
  };
}

const STEPS = 8;

/** Points along a Catmull-Rom spline. */
function rounded(points: readonly Point[]): Point[] {
  const at = (index: number) => points[Math.min(points.length - 1, Math.max(0, index))];
  const out: Point[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    for (let step = 0; step < STEPS; step++) {
      const t = step / STEPS;
      const along = (axis: 0 | 1) => {
        const [a, b, c, d] = [at(i - 1)[axis], at(i)[axis], at(i + 1)[axis], at(i + 2)[axis]];
        return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
      };
      out.push([along(0), along(1)]);
    }
  }
  return [...out, at(points.length - 1)];
}

/** Points along straight lines, so that the lines can bend. */
function dense(points: readonly Point[]): Point[] {
  const out: Point[] = [points[0]];
  for (let i = 1; i < points.length; i++) {
    for (let step = 1; step <= STEPS; step++) {
      const mixed = (axis: 0 | 1) => points[i - 1][axis] + (step / STEPS) * (points[i][axis] - points[i - 1][axis]);
      out.push([mixed(0), mixed(1)]);
    }
  }
  return out;
}

function pieces(strokes: readonly (readonly Point[])[]): Pieces {
  return Float64Array.from(
    strokes.flatMap((points) => points.slice(1).flatMap((point, i) => [...points[i], ...point])),
  );
}

/**
 * The strokes as ink, fitted to the picture: ink is 1, paper is 0.
 * @param fill fraction of the picture's side that the ink spans
 * @param stroke width of the strokes, as a fraction of the picture's side
 * @returns [size, size]
 */
export function ink(lines: Pieces, size: number, fill: number, stroke: number): Float32Array {
  const side = (axis: 0 | 1) => {
    const values = lines.filter((_, i) => i % 2 === axis);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    return { middle: (low + high) / 2, length: high - low };
  };
  const [across, down] = [side(0), side(1)];
  const scale = ((fill - stroke) * size) / Math.max(across.length, down.length);
  const placed = lines.map((value, i) => size / 2 + scale * (value - (i % 2 === 0 ? across : down).middle));
  const radius = (stroke * size) / 2 + 0.5;
  const out = new Float32Array(size * size);
  for (let at = 0; at < placed.length; at += 4) {
    const [x0, y0, x1, y1] = placed.subarray(at, at + 4);
    const [dx, dy] = [x1 - x0, y1 - y0];
    const squared = dx * dx + dy * dy || 1;
    const from = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - radius));
    const to = (a: number, b: number) => Math.min(size - 1, Math.ceil(Math.max(a, b) + radius));
    for (let y = from(y0, y1); y <= to(y0, y1); y++) {
      for (let x = from(x0, x1); x <= to(x0, x1); x++) {
        const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
        const t = Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
        const [offX, offY] = [px - t * dx, py - t * dy];
        const value = Math.min(1, radius - Math.sqrt(offX * offX + offY * offY));
        if (value > out[y * size + x]) out[y * size + x] = value;
      }
    }
  }
  return out;
}

/** Depth of a body in pixels, as in the recipe for pictures of DIGIT_SIZE. */
const DEPTH = 6;

/** The digit as a solid body, its front at +x: each inked pixel of a small picture is a box, as in 3D MNIST. */
export function digitMesh(digit: Digit, random: Random): Mesh {
  const picture = ink(digit.draw(random), DIGIT_SIZE, 22 / DIGIT_SIZE, random.uniform(2, 3.6) / DIGIT_SIZE);
  const filled = (row: number, column: number) => picture[row * DIGIT_SIZE + column] > 0.4; // the margin is empty
  const mesh = emptyMesh();
  const quad = (a: Vector, b: Vector, c: Vector, d: Vector) => {
    addTriangle(mesh, [a, b, c]);
    addTriangle(mesh, [a, c, d]);
  };
  const [front, back] = [DEPTH / 2, -DEPTH / 2];
  for (let row = 0; row < DIGIT_SIZE; row++) {
    for (let column = 0; column < DIGIT_SIZE; column++) {
      if (!filled(row, column)) continue;
      const [left, right, top, bottom] = [column, column + 1, -row, -row - 1];
      quad([front, left, bottom], [front, right, bottom], [front, right, top], [front, left, top]);
      quad([back, right, bottom], [back, left, bottom], [back, left, top], [back, right, top]);
      if (!filled(row, column - 1))
        quad([back, left, bottom], [front, left, bottom], [front, left, top], [back, left, top]);
      if (!filled(row, column + 1))
        quad([front, right, bottom], [back, right, bottom], [back, right, top], [front, right, top]);
      if (!filled(row - 1, column))
        quad([front, left, top], [front, right, top], [back, right, top], [back, left, top]);
      if (!filled(row + 1, column))
        quad([back, left, bottom], [back, right, bottom], [front, right, bottom], [front, left, bottom]);
    }
  }
  return mesh;
}
