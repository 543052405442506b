/** Chair, table, lamp: parametric meshes in metres, standing on z = 0, with random proportions and parts. */
import type { Random } from '../../tensor/random.ts';
import { join, type Mesh, move, paint, turn, type Vector } from './mesh.ts';
import { box, cylinder, lathe, prism, rectangle, roundedRectangle, tube } from './primitives.ts';

/** A seat, four legs that may splay, a tilted back (solid or with slats), sometimes arms. The front is +x. */
export function chair(random: Random): Mesh {
  const width = random.uniform(0.42, 0.54);
  const depth = random.uniform(0.42, 0.52);
  const seatHeight = random.uniform(0.4, 0.5);
  const thickness = random.uniform(0.04, 0.08);
  const backHeight = random.uniform(0.42, 0.62);
  const legs = random.uniform(0.018, 0.03);
  const splay = random.uniform(0, 0.06);
  const parts = [box([0, 0, seatHeight - thickness / 2], [depth, width, thickness])];
  for (const [x, y] of rectangle(depth / 2 - legs, width / 2 - legs)) {
    const foot: Vector = [x + Math.sign(x) * splay, y + Math.sign(y) * splay, 0];
    parts.push(paint(tube([foot, [x, y, seatHeight - thickness]], [legs * 0.8, legs], 8), 0.75));
  }
  const backThickness = random.uniform(0.03, 0.06);
  const back: Mesh[] = [];
  const slats = random.integer(4); // 0: a solid back
  if (slats === 0) {
    back.push(box([0, 0, backHeight / 2], [backThickness, width, backHeight]));
  } else {
    const rail = random.uniform(0.08, 0.14);
    back.push(box([0, 0, backHeight - rail / 2], [backThickness, width, rail]));
    for (let i = 0; i <= slats + 1; i++) {
      const y = (i / (slats + 1) - 0.5) * (width - 0.05);
      back.push(box([0, y, (backHeight - rail) / 2], [backThickness * 0.8, 0.05, backHeight - rail]));
    }
  }
  const tilt = random.uniform(-14, -2);
  parts.push(move(turn(join(back), 'y', tilt), [-(depth - backThickness) / 2, 0, seatHeight - thickness / 2]));
  if (random.uniform() < 0.3) {
    const height = random.uniform(0.17, 0.24);
    for (const side of [-1, 1]) {
      const y = side * (width / 2 + 0.01);
      parts.push(box([-0.02, y, seatHeight + height], [depth * 0.95, 0.05, 0.035]));
      parts.push(box([depth * 0.38, y, seatHeight + height / 2 - 0.03], [0.035, 0.035, height + 0.06]));
    }
  }
  return join(parts);
}

/** A top between rectangle and ellipse on four legs, with or without a frame under it. */
export function table(random: Random): Mesh {
  const length = random.uniform(1, 1.5);
  const width = length * random.uniform(0.62, 0.95);
  const height = random.uniform(0.55, 0.8);
  const thickness = random.uniform(0.04, 0.08);
  const rounding = random.uniform(0.02, 0.9) * (width / 2);
  const outline = roundedRectangle(length / 2, width / 2, rounding, 6);
  const parts = [prism(outline, outline, height - thickness, height)];
  // Keeps the legs under the top, whose corners are rounded.
  const inset = 0.06 + 0.3 * rounding;
  const leg = random.uniform(0.028, 0.05);
  const splay = random.uniform(0, 0.1);
  const square = random.uniform() < 0.5;
  for (const [x, y] of rectangle(length / 2 - inset, width / 2 - inset)) {
    const foot: Vector = [x + Math.sign(x) * splay, y + Math.sign(y) * splay, 0];
    const post = tube([foot, [x, y, height - thickness]], [leg * random.uniform(0.6, 1), leg], square ? 4 : 10);
    parts.push(paint(post, 0.7));
  }
  if (random.uniform() < 0.5) {
    const drop = random.uniform(0.06, 0.12);
    const size: Vector = [length - 2 * inset, width - 2 * inset, drop];
    parts.push(paint(box([0, 0, height - thickness - drop / 2], size), 0.8));
  }
  return join(parts);
}

/** A round foot, a thin stem and a hollow shade, from conical to nearly cylindrical. */
export function lamp(random: Random): Mesh {
  const height = random.uniform(0.75, 1.15); // up to the shade's lower edge
  const footRadius = random.uniform(0.15, 0.22);
  const footHeight = random.uniform(0.02, 0.06);
  const stem = random.uniform(0.018, 0.028);
  const shadeHeight = random.uniform(0.26, 0.4);
  const below = random.uniform(0.24, 0.34);
  const above = below * random.uniform(0.35, 0.8);
  const wall = 0.015;
  const knob = random.uniform(stem, 2.2 * stem);
  const knobAt = random.uniform(0.3, 0.8) * height;
  const foot = lathe(
    [
      [0, 0],
      [footRadius, 0],
      [footRadius, footHeight * 0.5],
      [stem * 2, footHeight + 0.02],
      [0, footHeight + 0.02],
    ],
    20,
  );
  const post = lathe(
    [
      [0, footHeight],
      [stem, footHeight],
      [stem, knobAt - 0.06],
      [knob, knobAt],
      [stem, knobAt + 0.06],
      [stem, height + shadeHeight * 0.8],
      [0, height + shadeHeight * 0.8],
    ],
    10,
  );
  const shade = lathe(
    [
      [below, 0],
      [above, shadeHeight],
      [above - wall, shadeHeight],
      [below - wall, 0],
      [below, 0],
    ],
    24,
  );
  const bulb = cylinder(0.05, 0.05, 0.1, 8);
  return join([
    paint(foot, 0.6),
    paint(post, 0.6),
    move(shade, [0, 0, height]),
    move(bulb, [0, 0, height + shadeHeight * 0.3]),
  ]);
}
