/** The solids that make up the shapes. Each is closed, with triangles counter-clockwise from outside. */
import { cos, sin } from '../../tensor/exact.ts';
import {
  add,
  addTriangle,
  cross,
  dot,
  emptyMesh,
  type Mesh,
  move,
  normalized,
  scale,
  subtract,
  times,
  type Vector,
} from './mesh.ts';

const TURN = 2 * Math.PI;

export type Point2 = readonly [number, number];

/** A box around its centre. */
export function box(centre: Vector, size: Vector): Mesh {
  const [x, y] = [size[0] / 2, size[1] / 2];
  return move(prism(rectangle(x, y), rectangle(x, y), -size[2] / 2, size[2] / 2), centre);
}

/** The corners of a rectangle from -x to x and -y to y, counter-clockwise. */
export function rectangle(x: number, y: number): Point2[] {
  return [
    [-x, -y],
    [x, -y],
    [x, y],
    [-x, y],
  ];
}

/** A rectangle from -x to x and -y to y whose corners are quarter circles. */
export function roundedRectangle(x: number, y: number, radius: number, steps = 5): Point2[] {
  const corners = rectangle(x - radius, y - radius);
  return corners.flatMap((corner, quarter) =>
    Array.from({ length: steps }, (_, step): Point2 => {
      const angle = TURN * ((quarter + 2) / 4 + step / (4 * (steps - 1)));
      return [corner[0] + radius * cos(angle), corner[1] + radius * sin(angle)];
    }),
  );
}

/**
 * The solid between two polygons with equally many corners at heights `low` and `high`: a prism, a frustum, a hull.
 * Both must be counter-clockwise from above, and star-shaped around their mean corner, the centre of the caps' fans.
 */
export function prism(bottom: readonly Point2[], top: readonly Point2[], low: number, high: number): Mesh {
  const mesh = emptyMesh();
  const lift = (polygon: readonly Point2[], z: number): Vector[] => polygon.map(([x, y]): Vector => [x, y, z]);
  const [under, over] = [lift(bottom, low), lift(top, high)];
  const underCentre = mean(under);
  const overCentre = mean(over);
  for (let i = 0; i < under.length; i++) {
    const next = (i + 1) % under.length;
    addTriangle(mesh, [under[i], under[next], over[next]]);
    addTriangle(mesh, [under[i], over[next], over[i]]);
    addTriangle(mesh, [underCentre, under[next], under[i]]);
    addTriangle(mesh, [overCentre, over[i], over[next]]);
  }
  return mesh;
}

/**
 * A surface of revolution about z.
 * @param profile [radius, z] points with the solid to their left, so upward on the outside. The profile starts and ends
 *   on the axis, or is closed (a ring).
 */
export function lathe(profile: readonly Point2[], segments = 20): Mesh {
  const mesh = emptyMesh();
  const slopes = profile.slice(1).map(([radius, z], i): Point2 => {
    const [dr, dz] = [radius - profile[i][0], z - profile[i][1]];
    const length = Math.sqrt(dr * dr + dz * dz);
    return [dz / length, -dr / length];
  });
  /** The normal of segment i at its end towards `other`. The two segments share it if the bend is slight. */
  const smoothed = (i: number, other: number): Point2 => {
    const [a, b] = [slopes[i], slopes[other] ?? slopes[i]];
    if (a[0] * b[0] + a[1] * b[1] < 0.7) return a;
    const [r, z] = [a[0] + b[0], a[1] + b[1]];
    const length = Math.sqrt(r * r + z * z);
    return [r / length, z / length];
  };
  const directions = circle(segments);
  const around = ([radius, z]: Point2, [c, s]: Point2): Vector => [radius * c, radius * s, z];
  for (let i = 0; i < slopes.length; i++) {
    const lower = smoothed(i, i - 1);
    const upper = smoothed(i, i + 1);
    for (let segment = 0; segment < segments; segment++) {
      const [here, next] = [directions[segment], directions[(segment + 1) % segments]];
      const corners = [around(profile[i], here), around(profile[i], next), around(profile[i + 1], next)] as const;
      const last = around(profile[i + 1], here);
      const normals = [around(lower, here), around(lower, next), around(upper, next), around(upper, here)];
      addTriangle(mesh, corners, normals);
      addTriangle(mesh, [corners[0], corners[2], last], [normals[0], normals[2], normals[3]]);
    }
  }
  return mesh;
}

/** A cylinder or frustum on the z axis, from z = 0 to z = height. */
export function cylinder(bottomRadius: number, topRadius: number, height: number, segments = 16): Mesh {
  return lathe(
    [
      [0, 0],
      [bottomRadius, 0],
      [topRadius, height],
      [0, height],
    ],
    segments,
  );
}

export function ellipsoid(centre: Vector, radii: Vector, segments = 12): Mesh {
  const steps = segments / 2;
  const profile = Array.from({ length: steps + 1 }, (_, i): Point2 => {
    const angle = (Math.PI * i) / steps;
    return [i === 0 || i === steps ? 0 : sin(angle), -cos(angle)];
  });
  return move(scale(lathe(profile, segments), radii), centre);
}

/**
 * A round tube along a path with flat ends.
 * @param radii one per point of the path, or a single one
 */
export function tube(path: readonly Vector[], radii: number | readonly number[], segments = 10): Mesh {
  const mesh = emptyMesh();
  const radiusAt = (i: number): number => (typeof radii === 'number' ? radii : radii[i]);
  const last = path.length - 1;
  const directions = circle(segments);
  let side: Vector | undefined;
  const rings = path.map((point, i) => {
    const tangent = normalized(subtract(path[Math.min(i + 1, last)], path[Math.max(i - 1, 0)]));
    // Carries the frame from ring to ring with the least twist. The first may point in any direction across the path.
    const seed: Vector = side ?? (Math.abs(tangent[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0]);
    const u = normalized(subtract(seed, times(tangent, dot(seed, tangent))));
    const v = cross(tangent, u);
    side = u;
    const outward = directions.map(([c, s]) => add(times(u, c), times(v, s)));
    return { tangent, outward, corners: outward.map((normal) => add(point, times(normal, radiusAt(i)))) };
  });
  for (let segment = 0; segment < segments; segment++) {
    const next = (segment + 1) % segments;
    for (let i = 0; i < last; i++) {
      const [a, b] = [rings[i], rings[i + 1]];
      const normals = [a.outward[segment], a.outward[next], b.outward[next], b.outward[segment]];
      addTriangle(mesh, [a.corners[segment], a.corners[next], b.corners[next]], normals);
      addTriangle(
        mesh,
        [a.corners[segment], b.corners[next], b.corners[segment]],
        [normals[0], normals[2], normals[3]],
      );
    }
    addTriangle(mesh, [path[0], rings[0].corners[next], rings[0].corners[segment]]);
    addTriangle(mesh, [path[last], rings[last].corners[segment], rings[last].corners[next]]);
  }
  return mesh;
}

/** Cosine and sine of evenly spaced angles. */
function circle(segments: number): Point2[] {
  return Array.from({ length: segments }, (_, i): Point2 => {
    const angle = (TURN * i) / segments;
    return [cos(angle), sin(angle)];
  });
}

function mean(points: readonly Vector[]): Vector {
  return times(points.reduce(add), 1 / points.length);
}
