/**
 * Line charts that grow, in the colours of the page. While one is empty its host keeps `data-empty`, which the style
 * sheet shows.
 */
import uPlot from 'uplot';
import { colour, onThemeChange } from '../shared/page.ts';

export interface Line {
  readonly label: string;
  /** name of a colour in the style sheet */
  readonly colour: string;
  readonly width?: number;
}

export class LineChart {
  private data: number[][];
  private plot: uPlot | null = null;
  private frame = 0;
  /** right end of the x axis */
  private end = 1;
  private readonly invitation: string;

  constructor(
    private readonly host: HTMLElement,
    private readonly lines: readonly Line[],
    private readonly axis: string,
    private readonly range: (low: number, high: number) => [number, number],
    /** for few values: marks each with a dot */
    private readonly isSparse = false,
  ) {
    this.invitation = host.dataset.empty ?? '';
    this.data = this.emptyData();
    this.build();
    onThemeChange(() => this.build());
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(host);
  }

  private emptyData = (): number[][] => [[], ...this.lines.map(() => [])];

  private size = () => ({ width: Math.max(120, this.host.clientWidth), height: 220 });

  private build(): void {
    this.plot?.destroy();
    const [soft, line] = [colour('soft'), colour('line')];
    const font = `12px ${colour('sans')}`;
    const grid = { stroke: line, width: 1 };
    const axis = { stroke: soft, grid, ticks: grid, font, labelFont: font };
    const options: uPlot.Options = {
      ...this.size(),
      cursor: { y: false },
      legend: { live: false },
      scales: {
        x: { time: false, range: () => this.span() },
        y: { range: (_, low, high) => this.range(low ?? 0, high ?? 1) },
      },
      axes: [
        { ...axis, label: this.axis, labelSize: 18, size: 32 },
        { ...axis, size: 44 },
      ],
      series: [
        {},
        ...this.lines.map(({ label, colour: name, width = 1.5 }) => ({
          label,
          stroke: colour(name),
          width,
          points: { show: this.isSparse, size: 7 },
        })),
      ],
    };
    this.plot = new uPlot(options, this.data as unknown as uPlot.AlignedData, this.host);
  }

  /** The range of the x axis: the whole run, which the curve fills; a margin keeps the first dot off the axis. */
  private span(): [number, number] {
    const last = Math.max(this.end, this.data[0][this.data[0].length - 1] ?? 0);
    return [this.isSparse ? -0.03 * last : 0, 1.02 * last];
  }

  /** @param end right end of the x axis */
  clear(end: number): void {
    this.end = end;
    this.host.dataset.empty = this.invitation;
    this.data = this.emptyData();
    this.plot?.setData(this.data as unknown as uPlot.AlignedData);
  }

  /** Adds a place on the x axis; what follows it is dropped, because training resumed there. */
  add(x: number, values: readonly number[]): void {
    delete this.host.dataset.empty;
    let keep = this.data[0].length;
    while (keep > 0 && this.data[0][keep - 1] >= x) keep--;
    this.data.forEach((column, i) => {
      column.length = keep;
      column.push(i === 0 ? x : values[i - 1]);
    });
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.plot?.setData(this.data as unknown as uPlot.AlignedData);
    });
  }
}
