/**
 * A small z-buffer rasteriser: one shaded grey view of a mesh.
 *
 * A perspective camera looks at the object with z up; the picture is then fitted to the frame. Shading is Lambert plus
 * ambient light; the light moves with the camera, to its upper left. Intensity is computed at the corners and
 * interpolated over the triangle (Gouraud). Depth is stored as 1 / distance, which is linear on the screen. 2 x 2
 * samples per pixel.
 */
import { cos, sin } from '../../tensor/exact.ts';
import type { Random } from '../../tensor/random.ts';
import { cross, normalized, type Surface, type Vector } from './mesh.ts';

/** Position of the camera, and placement of the picture in its frame. */
export interface View {
  /** Degrees about z; at 0 the camera is on the x axis. */
  readonly azimuth: number;
  /** Degrees above the horizon. */
  readonly elevation: number;
  /** From the origin, in the mesh's unit; must exceed the mesh's radius. */
  readonly distance: number;
  /** Share of the frame that the longer side of the picture fills, 0..1. */
  readonly fill: number;
  /** Shift of the picture from the centre, relative to the margin that `fill` leaves: -1..1 (right, down). */
  readonly offset: readonly [number, number];
  /** Multiplies all intensities. */
  readonly brightness: number;
}

const SAMPLES = 2; // per pixel and axis
const AMBIENT = 0.3;
const LIGHT = normalized([-0.45, 0.55, 0.8]); // right, up, towards the camera

/** A random view of the built-in shapes: from any side, from slightly below to well above. */
export function randomView(random: Random): View {
  return {
    azimuth: random.uniform(0, 360),
    elevation: random.uniform(-10, 50),
    distance: random.uniform(2, 3.5),
    fill: random.uniform(0.8, 0.96),
    offset: [random.uniform(-1, 1), random.uniform(-1, 1)],
    brightness: random.uniform(0.7, 1),
  };
}

/**
 * @param sides the visible sides of triangles: `outer` if they are known to be counter-clockwise from outside, `both`
 *   for files, whose triangles may have either orientation. Default `outer`.
 * @returns [size, size, 1], 0 (background) to 1; the picture's first row is its top
 */
export function rasterise(mesh: Surface, view: View, size: number, sides: 'outer' | 'both' = 'outer'): Float32Array {
  const { screen, intensity } = project(mesh, view, size * SAMPLES, sides);
  const samples = fillTriangles(screen, intensity, size * SAMPLES, sides);
  const image = new Float32Array(size * size);
  for (let y = 0; y < size * SAMPLES; y++) {
    for (let x = 0; x < size * SAMPLES; x++) {
      image[Math.floor(y / SAMPLES) * size + Math.floor(x / SAMPLES)] +=
        samples[y * size * SAMPLES + x] / (SAMPLES * SAMPLES);
    }
  }
  return image;
}

/** Corners on the screen (x right, y down, 1 / distance) [T * 3, 3], and their intensity [T * 3]. */
function project(
  mesh: Surface,
  view: View,
  size: number,
  sides: 'outer' | 'both',
): { screen: Float64Array; intensity: Float64Array } {
  const azimuth = (view.azimuth / 180) * Math.PI;
  const elevation = (view.elevation / 180) * Math.PI;
  const back: Vector = [cos(elevation) * cos(azimuth), cos(elevation) * sin(azimuth), sin(elevation)];
  const right: Vector = [-sin(azimuth), cos(azimuth), 0];
  const up = cross(back, right);
  const count = mesh.positions.length / 3;
  const screen = new Float64Array(3 * count);
  const intensity = new Float64Array(count);
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  const { positions, normals, albedo } = mesh;
  const along = (list: ArrayLike<number>, at: number, axis: Vector): number =>
    list[at] * axis[0] + list[at + 1] * axis[1] + list[at + 2] * axis[2];
  for (let i = 0; i < count; i++) {
    const at = 3 * i;
    const inverse = 1 / (view.distance - along(positions, at, back));
    screen[at] = along(positions, at, right) * inverse;
    screen[at + 1] = -along(positions, at, up) * inverse;
    screen[at + 2] = inverse;
    for (let axis = 0; axis < 2; axis++) {
      low[axis] = Math.min(low[axis], screen[at + axis]);
      high[axis] = Math.max(high[axis], screen[at + axis]);
    }
    const facing =
      LIGHT[0] * along(normals, at, right) + LIGHT[1] * along(normals, at, up) + LIGHT[2] * along(normals, at, back);
    // The camera is at distance * back. A triangle that faces away shows its other side.
    const away =
      view.distance * along(normals, at, back) <
      along(normals, at, [positions[at], positions[at + 1], positions[at + 2]]);
    const lit = Math.max(0, sides === 'both' && away ? -facing : facing);
    intensity[i] = view.brightness * albedo[Math.floor(i / 3)] * (AMBIENT + (1 - AMBIENT) * lit);
  }
  const scale = (view.fill * size) / Math.max(high[0] - low[0], high[1] - low[1]);
  for (let axis = 0; axis < 2; axis++) {
    const room = size - scale * (high[axis] - low[axis]);
    const start = (room + view.offset[axis] * (1 - view.fill) * size) / 2;
    for (let i = axis; i < screen.length; i += 3) screen[i] = start + scale * (screen[i] - low[axis]);
  }
  return { screen, intensity };
}

/** Intensity of the nearest surface at each sample. [size, size] */
function fillTriangles(
  screen: Float64Array,
  intensity: Float64Array,
  size: number,
  sides: 'outer' | 'both',
): Float32Array {
  const picture = new Float32Array(size * size);
  const nearest = new Float32Array(size * size);
  for (let triangle = 0; triangle < intensity.length / 3; triangle++) {
    const at = 9 * triangle;
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = screen.subarray(at, at + 9);
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0 || (area > 0 && sides === 'outer')) continue; // from the edge, or from inside (y points down)
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const right = Math.min(size - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const bottom = Math.min(size - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [px, py] = [x + 0.5, y + 0.5];
        const wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) / area;
        const wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / area;
        const wa = 1 - wb - wc;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        const depth = wa * az + wb * bz + wc * cz;
        const pixel = y * size + x;
        if (depth <= nearest[pixel]) continue;
        nearest[pixel] = depth;
        picture[pixel] =
          wa * intensity[3 * triangle] + wb * intensity[3 * triangle + 1] + wc * intensity[3 * triangle + 2];
      }
    }
  }
  return picture;
}
