/** Bottle, mug, guitar, tree: parametric meshes, upright, with random proportions and parts. */
import { cos, sin } from '../../tensor/exact.ts';
import type { Random } from '../../tensor/random.ts';
import { join, type Mesh, move, paint, turn, type Vector } from './mesh.ts';
import { box, cylinder, ellipsoid, lathe, type Point2, prism, rectangle, tube } from './primitives.ts';

/** A body, round shoulders, a neck and a cap, with or without a label. */
export function bottle(random: Random): Mesh {
  const radius = random.uniform(0.13, 0.19);
  const bodyHeight = random.uniform(0.45, 0.62);
  const shoulder = random.uniform(0.1, 0.22);
  const neckRadius = random.uniform(0.045, 0.065);
  const neckHeight = random.uniform(0.14, 0.26);
  const profile: Point2[] = [
    [0, 0],
    [radius * 0.92, 0],
    [radius, 0.03],
    [radius, bodyHeight],
  ];
  for (let step = 1; step <= 6; step++) {
    const blend = (1 + cos((Math.PI * step) / 6)) / 2; // from the body's radius to the neck's
    profile.push([neckRadius + (radius - neckRadius) * blend, bodyHeight + (shoulder * step) / 6]);
  }
  const top = bodyHeight + shoulder + neckHeight;
  profile.push([neckRadius, top], [0, top]);
  const parts = [lathe(profile, 20)];
  const capHeight = random.uniform(0.04, 0.08);
  const cap = cylinder(neckRadius * 1.3, neckRadius * 1.3, capHeight, 14);
  parts.push(paint(move(cap, [0, 0, top - capHeight * 0.6]), 0.4));
  if (random.uniform() < 0.6) {
    const height = random.uniform(0.18, 0.3);
    const label = cylinder(radius * 1.01, radius * 1.01, height, 20);
    parts.push(paint(move(label, [0, 0, (bodyHeight - height) / 2]), 0.55));
  }
  return join(parts);
}

/** A hollow cup, straight or slightly conical, with a handle on its +x side. */
export function mug(random: Random): Mesh {
  const height = random.uniform(0.85, 1.2);
  const foot = random.uniform(0.36, 0.46);
  const rim = foot * random.uniform(0.95, 1.15);
  const wall = random.uniform(0.03, 0.06);
  const cup = lathe(
    [
      [0, 0],
      [foot * 0.95, 0],
      [foot, 0.04],
      [rim, height],
      [rim - wall, height],
      [foot - wall, wall],
      [0, wall],
    ],
    24,
  );
  const reach = random.uniform(0.26, 0.36);
  const half = height * random.uniform(0.26, 0.34);
  const middle = height * random.uniform(0.46, 0.56);
  const side = (foot + rim) / 2 - wall / 2;
  const path = Array.from({ length: 11 }, (_, i): Vector => {
    const angle = Math.PI * (i / 10 - 0.5);
    return [side + reach * cos(angle), 0, middle + half * sin(angle)];
  });
  return join([cup, tube(path, random.uniform(0.045, 0.07), 10)]);
}

/** A waisted body with a sound hole and a bridge, a dark neck with a head. Upright, the front is +x. */
export function guitar(random: Random): Mesh {
  const lower = random.uniform(0.2, 0.25);
  const upper = lower * random.uniform(0.7, 0.82);
  const waist = upper * random.uniform(0.68, 0.82);
  const bodyHeight = random.uniform(0.46, 0.54);
  const depth = random.uniform(0.09, 0.13);
  const neckLength = random.uniform(0.4, 0.5);
  const neckWidth = random.uniform(0.055, 0.075);
  const halfWidths = [0, 0.62, 0.88, 1].map((part) => part * lower).concat(lower * 0.93, (lower + waist) / 2, waist);
  halfWidths.push((waist + upper) / 2, upper, upper * 0.93, upper * 0.6, 0);
  const heights = [0, 0.04, 0.11, 0.24, 0.36, 0.47, 0.57, 0.68, 0.8, 0.91, 0.98, 1];
  const rightSide = halfWidths.map((width, i): Point2 => [width, heights[i] * bodyHeight]);
  const leftSide = rightSide.slice(1, -1).map(([x, z]): Point2 => [-x, z]);
  // The caps are fans around the mean corner, so it must be inside the waist, at the height of the origin.
  const outline = [...rightSide, ...leftSide.reverse()];
  const body = upright(prism(outline, outline, -depth / 2, depth / 2));
  const front = depth / 2;
  const hole = move(turn(cylinder(waist * 0.5, waist * 0.5, 0.012, 14), 'y', 90), [
    front - 0.004,
    0,
    bodyHeight * 0.62,
  ]);
  const neckStart = bodyHeight * 0.72;
  const neckTop = bodyHeight + neckLength;
  const neck = box([front, 0, (neckStart + neckTop) / 2], [0.04, neckWidth, neckTop - neckStart]);
  const headWidth = neckWidth * random.uniform(1.5, 2);
  const head = prism(rectangle(0.018, neckWidth / 2), rectangle(0.018, headWidth / 2), 0, random.uniform(0.12, 0.17));
  const bridge = box([front, 0, bodyHeight * 0.25], [0.03, lower * 0.8, 0.03]);
  const whole = join([
    body,
    paint(hole, 0.1),
    paint(neck, 0.4),
    paint(move(head, [front - 0.01, 0, neckTop]), 0.4),
    paint(bridge, 0.3),
  ]);
  return turn(whole, 'y', random.uniform(-10, 0));
}

/** Rotates a solid with its outline in (x, y) and its thickness along z so that y points up and z to the front. */
function upright(mesh: Mesh): Mesh {
  return turn(turn(mesh, 'x', 90), 'z', 90);
}

/** A trunk and a crown of leaf balls, wide or tall. */
export function tree(random: Random): Mesh {
  const trunk = random.uniform(0.3, 0.42);
  const radius = random.uniform(0.035, 0.055);
  const lean = random.uniform(-0.05, 0.05);
  const crownWidth = random.uniform(0.24, 0.3);
  const crownHeight = crownWidth * random.uniform(0.9, 1.3);
  const centre = trunk + crownHeight * 0.8;
  const path: Vector[] = [
    [0, 0, 0],
    [lean / 2, 0, trunk / 2],
    [lean, 0, centre],
  ];
  const parts = [paint(tube(path, [radius * 1.5, radius, radius * 0.7], 8), 0.45)];
  parts.push(paint(ellipsoid([lean, 0, centre], [crownWidth, crownWidth, crownHeight], 12), 0.7));
  const balls = 7 + random.integer(5);
  for (let i = 0; i < balls; i++) {
    // Spread over the crown: evenly by height, by the golden angle around it.
    const angle = 2.399963 * i + random.uniform(-0.4, 0.4);
    const up = (2 * (i + 0.5)) / balls - 1;
    const out = Math.sqrt(1 - up * up) * crownWidth * 0.8;
    const size = random.uniform(0.11, 0.17);
    const at: Vector = [lean + out * cos(angle), out * sin(angle), centre + up * crownHeight * 0.8];
    parts.push(paint(ellipsoid(at, [size, size, size * random.uniform(0.8, 1)], 10), random.uniform(0.6, 0.9)));
  }
  return join(parts);
}
