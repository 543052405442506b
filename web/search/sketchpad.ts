/**
 * A canvas to draw on. Strokes are kept as lines, so that the encoder sees a small drawing as sharply as a large one.
 */
import { colour, onThemeChange } from '../shared/page.ts';
import { paintInk } from '../shared/thumbnails.ts';
import { PICTURE } from './gallery.ts';

type Point = readonly [number, number];

/** Fractions of the picture: the side that a drawing spans and the width of its strokes, as in training. */
const FILL = 0.86;
const STROKE = 0.045;

export class Sketchpad {
  private readonly strokes: Point[][] = [];
  private readonly context: CanvasRenderingContext2D;
  /** an example drawing [side, side], shown until the first stroke */
  private shown: Float32Array | null = null;
  private readonly shownInk = document.createElement('canvas');

  /** @param onChange called after the drawing changes */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onChange: () => void,
  ) {
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D;
    canvas.addEventListener('pointerdown', (event) => this.begin(event));
    canvas.addEventListener('pointermove', (event) => this.go(event));
    new ResizeObserver(() => this.paint()).observe(canvas);
    onThemeChange(() => this.paint());
  }

  get isEmpty(): boolean {
    return this.strokes.length === 0 && this.shown === null;
  }

  /** Shows a finished drawing instead of strokes. Does not call `onChange`. */
  show(picture: Float32Array): void {
    this.strokes.length = 0;
    this.shown = picture;
    this.paint();
  }

  undo(): void {
    this.strokes.pop();
    this.shown = null;
    this.changed();
  }

  clear(): void {
    this.strokes.length = 0;
    this.shown = null;
    this.changed();
  }

  private changed(): void {
    this.paint();
    this.onChange();
  }

  private pointOf({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.pointOf(event);
    this.shown = null;
    this.strokes.push([at, at]);
    this.changed();
  }

  private go(event: PointerEvent): void {
    if (!this.canvas.hasPointerCapture(event.pointerId)) return;
    const stroke = this.strokes[this.strokes.length - 1];
    for (const part of event.getCoalescedEvents?.() ?? [event]) stroke.push(this.pointOf(part));
    this.changed();
  }

  private trace(context: CanvasRenderingContext2D, place: (point: Point) => Point): void {
    context.lineCap = context.lineJoin = 'round';
    for (const stroke of this.strokes) {
      context.beginPath();
      stroke.forEach((point, i) => {
        const [x, y] = place(point);
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      });
      context.stroke();
    }
  }

  private paint(): void {
    const { canvas, context } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (side > 0 && canvas.width !== side) canvas.width = canvas.height = side;
    context.clearRect(0, 0, canvas.width, canvas.height);
    const margin = 0.09 * canvas.width;
    const inner = canvas.width - 2 * margin;
    if (this.shown) {
      paintInk(this.shownInk, this.shown); // in the current colour: the theme may have changed
      context.drawImage(this.shownInk, margin, margin, inner, inner);
    }
    context.strokeStyle = colour('ink');
    context.lineWidth = canvas.width * 0.016;
    this.trace(context, ([x, y]) => [x * canvas.width, y * canvas.height]);
  }

  /** The drawing fitted to the frame: strokes are 1, paper is 0. [PICTURE, PICTURE] */
  picture(): Float32Array {
    const points = this.strokes.flat();
    const low = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
    const high = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
    const scale = ((FILL - STROKE) * PICTURE) / Math.max(high[0] - low[0], high[1] - low[1], 0.05);
    const canvas = new OffscreenCanvas(PICTURE, PICTURE);
    const context = canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
    context.strokeStyle = '#fff';
    context.lineWidth = STROKE * PICTURE;
    const place = (value: number, axis: number) => PICTURE / 2 + scale * (value - (low[axis] + high[axis]) / 2);
    this.trace(context as unknown as CanvasRenderingContext2D, ([x, y]) => [place(x, 0), place(y, 1)]);
    const { data } = context.getImageData(0, 0, PICTURE, PICTURE);
    return Float32Array.from({ length: PICTURE * PICTURE }, (_, i) => data[4 * i + 3] / 255);
  }
}
