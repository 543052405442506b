/** Aeroplane, car, sailing boat: parametric meshes with random proportions and parts. The front is +x. */
import type { Random } from '../../tensor/random.ts';
import { join, type Mesh, move, paint, turn, type Vector } from './mesh.ts';
import { cylinder, ellipsoid, type Point2, prism, roundedRectangle, tube } from './primitives.ts';

/** Fuselage of length 1, swept wings, fin and tailplane; none, two or four engines below the wings. */
export function aeroplane(random: Random): Mesh {
  const radius = random.uniform(0.045, 0.07);
  const along = [-0.5, -0.42, -0.25, 0, 0.3, 0.4, 0.46, 0.5];
  const thickness = [0.25, 0.45, 0.85, 1, 1, 0.85, 0.55, 0.1];
  const path = along.map((x): Vector => [x, 0, x < -0.25 ? (-0.25 - x) * radius * 2 : 0]);
  const parts = [
    tube(
      path,
      thickness.map((part) => part * radius),
      14,
    ),
  ];
  const span = random.uniform(0.38, 0.55);
  const root = random.uniform(0.2, 0.28);
  const tip = root * random.uniform(0.35, 0.6);
  const sweep = random.uniform(0.1, 0.28);
  const start = random.uniform(0.14, 0.22);
  const rise = random.uniform(0, 8);
  const low = random.uniform(-0.6, 0.2) * radius;
  const engines = random.integer(3);
  for (const side of [-1, 1]) {
    const wing = [panel(span, root, tip, sweep, 0.022)];
    for (let engine = 1; engine <= engines; engine++) {
      const out = (engines === 1 ? 0.4 : 0.26 * engine) * span;
      const nacelle = turn(cylinder(0.028, 0.034, 0.12, 10), 'y', 90);
      wing.push(paint(move(nacelle, [0.01 - (sweep * out) / span - 0.04, out, -0.035]), 0.6));
    }
    parts.push(move(turn(mirrored(join(wing), side), 'x', side * rise), [start, 0, low]));
    const tail = panel(span * random.uniform(0.32, 0.42), root * 0.5, tip * 0.6, sweep * 0.5, 0.016);
    parts.push(move(mirrored(tail, side), [-0.37, 0, radius * 0.5]));
  }
  const fin = turn(panel(random.uniform(0.15, 0.22), root * 0.6, tip * 0.7, sweep * 0.5, 0.016), 'x', 90);
  parts.push(move(fin, [-0.35, 0, radius * 0.5]));
  return join(parts);
}

/** A flat wing from y = 0 to y = span. Its front edge starts at x = 0 and is swept back by `sweep`. */
function panel(span: number, root: number, tip: number, sweep: number, thickness: number): Mesh {
  const outline: Point2[] = [
    [-root, 0],
    [0, 0],
    [-sweep, span],
    [-sweep - tip, span],
  ];
  return prism(outline, outline, -thickness / 2, thickness / 2);
}

/** The mesh for side 1, its mirror image in y for side -1. */
function mirrored(mesh: Mesh, side: number): Mesh {
  if (side === 1) return mesh;
  // Mirroring turns triangles inside out, so their corners are reversed.
  const flip = (list: number[]): number[] =>
    list.map((_, i) => {
      const corner = Math.floor(i / 3) % 3;
      const value = list[i + 3 * (2 - 2 * corner)];
      return i % 3 === 1 ? -value : value;
    });
  return { positions: flip(mesh.positions), normals: flip(mesh.normals), albedo: mesh.albedo };
}

/** A body with rounded corners, a narrower cabin with dark windows, four dark wheels. */
export function car(random: Random): Mesh {
  const width = random.uniform(0.38, 0.46);
  const wheel = random.uniform(0.08, 0.105);
  const floor = wheel * random.uniform(0.7, 1);
  const bodyHeight = random.uniform(0.13, 0.18);
  const cabinHeight = random.uniform(0.12, 0.19);
  const cabinLength = random.uniform(0.46, 0.68);
  const cabinAt = random.uniform(-0.14, -0.02);
  const body = prism(
    roundedRectangle(0.5, width / 2, 0.06, 4),
    roundedRectangle(0.48, width * 0.46, 0.07, 4),
    floor,
    floor + bodyHeight,
  );
  const top = floor + bodyHeight;
  const taper = random.uniform(0.55, 0.8);
  const cabin = (grow: number, from: number, to: number): Mesh => {
    // The outline at a relative height in the cabin: 0 at the bottom, 1 at the roof.
    const at = (part: number): Point2[] => {
      const half = (cabinLength / 2) * (1 - (1 - taper) * part) + grow;
      return roundedRectangle(half, width * (0.44 - 0.07 * part) + grow, 0.03, 3);
    };
    return move(prism(at(from), at(to), top + from * cabinHeight, top + to * cabinHeight), [cabinAt, 0, 0]);
  };
  const parts = [body, paint(cabin(0, 0, 0.85), 0.35), cabin(0.004, 0.8, 1)];
  const base = random.uniform(0.27, 0.33);
  for (const x of [-base, base]) {
    for (const side of [-1, 1]) {
      const tyre = turn(cylinder(wheel, wheel, 0.09, 14), 'x', 90);
      parts.push(paint(move(tyre, [x, side * (width / 2 - 0.03) + 0.045, wheel]), 0.25));
    }
  }
  return join(parts);
}

/** A pointed hull, a mast, a main sail and a jib, both swung out. */
export function boat(random: Random): Mesh {
  const beam = random.uniform(0.14, 0.2);
  const hullHeight = random.uniform(0.13, 0.2);
  const deck: Point2[] = [
    [-0.5, -beam * 0.7],
    [-0.1, -beam],
    [0.2, -beam * 0.8],
    [0.55, 0],
    [0.2, beam * 0.8],
    [-0.1, beam],
    [-0.5, beam * 0.7],
  ];
  const keel = deck.map(([x, y]): Point2 => [x * 0.75 - 0.04, y * random.uniform(0.4, 0.5)]);
  const height = random.uniform(0.95, 1.3);
  const mastAt = random.uniform(0.05, 0.15);
  const foot = hullHeight + 0.08;
  const swing = (random.integer(2) * 2 - 1) * random.uniform(12, 40);
  const main = sail(-random.uniform(0.46, 0.58), height - 0.04 - foot);
  const jib = sail(-random.uniform(0.36, 0.48), (height - foot) * random.uniform(0.65, 0.85));
  const parts = [
    paint(prism(keel, deck, 0, hullHeight), 0.5),
    paint(tube([mastPoint(mastAt, 0), mastPoint(mastAt, height)], 0.016, 8), 0.5),
    move(turn(main, 'z', swing), [mastAt, 0, foot]),
    // The jib hangs from the bow.
    move(turn(jib, 'z', swing * 0.8), [0.52, 0, hullHeight + 0.03]),
  ];
  if (random.uniform() < 0.5) parts.push(paint(ellipsoid([-0.2, 0, hullHeight], [0.16, beam * 0.6, 0.07]), 0.8));
  return join(parts);
}

function mastPoint(x: number, z: number): Vector {
  return [x, 0, z];
}

/** An upright triangle in the plane y = 0: from the origin up by `height` and out by `foot`. */
function sail(foot: number, height: number): Mesh {
  const outline: Point2[] = [
    [0, 0],
    [0, height],
    [foot * 0.45, height * 0.45],
    [foot, 0],
  ];
  return turn(prism(outline, outline, -0.008, 0.008), 'x', 90);
}
