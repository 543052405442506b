/** The map of the embedding space: pictures are discs, clouds are diamonds, lines join partners. */
import { colour, onThemeChange } from '../shared/page.ts';
import type { MapOfSpace } from './worker.ts';

/** Ten hues that are distinct on light and dark backgrounds. */
export const HUES = [
  '#4e79a7',
  '#f28e2b',
  '#e15759',
  '#499894',
  '#59a14f',
  '#b6992d',
  '#b07aa1',
  '#d37295',
  '#9c755f',
  '#79706e',
];
const MARGIN = 14;

export class SpaceMap {
  private map: MapOfSpace | null = null;
  byClass = false;

  constructor(private readonly canvas: HTMLCanvasElement) {
    onThemeChange(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(map: MapOfSpace | null): void {
    this.map = map;
    this.draw();
  }

  draw(): void {
    const { canvas, map } = this;
    const ratio = Math.min(2, devicePixelRatio);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    context.scale(ratio, ratio);
    if (!map) return;
    const x = (value: number) => width / 2 + value * (width / 2 - MARGIN);
    const y = (value: number) => height / 2 - value * (height / 2 - MARGIN);
    context.strokeStyle = colour('soft');
    context.globalAlpha = 0.35;
    context.beginPath();
    for (let i = 0; i < map.images.length; i += 2) {
      context.moveTo(x(map.images[i]), y(map.images[i + 1]));
      context.lineTo(x(map.clouds[i]), y(map.clouds[i + 1]));
    }
    context.stroke();
    context.globalAlpha = 0.9;
    const [image, cloud] = [colour('image'), colour('cloud')];
    map.classes.forEach((label, i) => {
      const hue = HUES[label % HUES.length];
      context.fillStyle = this.byClass ? hue : image;
      context.beginPath();
      context.arc(x(map.images[2 * i]), y(map.images[2 * i + 1]), 3.6, 0, 7);
      context.fill();
      context.fillStyle = this.byClass ? hue : cloud;
      const [across, down] = [x(map.clouds[2 * i]), y(map.clouds[2 * i + 1])];
      context.beginPath();
      context.moveTo(across, down - 4.6);
      for (const [dx, dy] of [
        [4.6, 0],
        [0, 4.6],
        [-4.6, 0],
      ])
        context.lineTo(across + dx, down + dy);
      context.fill();
    });
  }
}
