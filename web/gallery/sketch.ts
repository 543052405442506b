/**
 * Pictures as a hand would draw them: the edges of a shaded view as strokes of one width, wobbly and with gaps. People
 * draw what they cannot photograph, so the encoder of the search page is trained on these in addition to the shaded
 * views.
 */

import { type Random, resizeImage } from 'romo';
import { cos, type Mesh, randomView, rasterise, sin, type View } from 'romo/data';

/** Strokes are drawn at three times the picture's size. */
const SCALE = 3;

/** Lengths below are in pixels of a picture of this size, so that a larger one does not get thinner strokes. */
const UNITS = 96;

/**
 * A view as people choose one when they draw: straight from a side or the front, from a corner, now and then from
 * above.
 */
function drawingView(front: number, random: Random): View {
  const view = { ...randomView(random), distance: random.uniform(2.5, 6), brightness: 1 };
  const kind = random.uniform();
  if (kind < 0.4) {
    const azimuth = front + 90 * random.integer(4) + random.uniform(-6, 6);
    return { ...view, azimuth, elevation: random.uniform(-2, 14), distance: 6 };
  }
  return { ...view, elevation: kind < 0.55 ? random.uniform(50, 89) : random.uniform(-5, 40) };
}

/**
 * A drawing of the mesh: strokes are 1, paper is 0.
 * @param front degrees about z by which the mesh is rotated
 * @returns [size, size, 1]
 */
export function sketch(mesh: Mesh, front: number, size: number, random: Random): Float32Array {
  const large = size * SCALE;
  const shaded = rasterise(mesh, drawingView(front, random), large);
  const silhouette = () => shaded.map((value) => (value > 0.02 ? 1 : 0));
  const kind = random.uniform();
  const isFilled = kind < 0.1;
  const lines = isFilled ? silhouette() : edges(kind < 0.35 ? silhouette() : shaded, large, random);
  const drawn = thicken(wobble(lines, large, random), large, isFilled ? 0 : (random.uniform(0.8, 2.6) * large) / UNITS);
  return resizeImage(drawn, [large, large, 1], size);
}

/** 1 where neighbouring pixels differ, with gaps where slow noise is high. */
function edges(picture: Float32Array, size: number, random: Random): Float32Array {
  const threshold = random.uniform(0.05, 0.22);
  const rate = () => (random.uniform(0.05, 0.2) * UNITS) / size;
  const [gapX, gapY, phase] = [rate(), rate(), random.uniform(0, 6)];
  const gaps = random.uniform(0.8, 1.2); // above 1: no gaps
  const out = new Float32Array(picture.length);
  for (let y = 1; y < size; y++) {
    for (let x = 1; x < size; x++) {
      const here = picture[y * size + x];
      const step = Math.max(Math.abs(here - picture[y * size + x - 1]), Math.abs(here - picture[(y - 1) * size + x]));
      if (step > threshold && sin(x * gapX + phase) * cos(y * gapY - phase) < gaps) out[y * size + x] = 1;
    }
  }
  return out;
}

/** Displaces every pixel by two slow waves, like an unsteady hand. */
function wobble(picture: Float32Array, size: number, random: Random): Float32Array {
  const waves = [0, 1].map(() => ({
    reach: (random.uniform(0, 2.2) * size) / UNITS,
    rate: (random.uniform(0.05, 0.16) * UNITS) / size,
    phase: random.uniform(0, 6.28),
  }));
  const out = new Float32Array(picture.length);
  const inside = (value: number) => Math.min(size - 1, Math.max(0, Math.round(value)));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const fromX = inside(x + waves[0].reach * sin(y * waves[0].rate + waves[0].phase));
      const fromY = inside(y + waves[1].reach * sin(x * waves[1].rate + waves[1].phase));
      out[y * size + x] = picture[fromY * size + fromX];
    }
  }
  return out;
}

/** Replaces each stroke pixel by a disc. */
function thicken(picture: Float32Array, size: number, radius: number): Float32Array {
  const out = picture.slice();
  const reach = Math.ceil(radius);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (picture[y * size + x] === 0) continue;
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const [px, py] = [x + dx, y + dy];
          if (dx * dx + dy * dy > radius * radius || px < 0 || py < 0 || px >= size || py >= size) continue;
          out[py * size + px] = 1;
        }
      }
    }
  }
  return out;
}
