/** Line charts that grow, in the colours of the page. */
import uPlot from 'uplot';
import { colour, onThemeChange } from '../shared/page.ts';

export interface Line {
  readonly label: string;
  /** a colour of the style sheet */
  readonly colour: string;
  readonly width?: number;
}

export class LineChart {
  private data: number[][];
  private plot: uPlot | null = null;
  private frame = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly lines: readonly Line[],
    private readonly axis: string,
    private readonly range: (low: number, high: number) => [number, number],
    /** few values: each gets a dot */
    private readonly isSparse = false,
  ) {
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
      scales: { x: { time: false }, y: { range: (_, low, high) => this.range(low ?? 0, high ?? 1) } },
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
          points: { show: this.isSparse, size: 5 },
        })),
      ],
    };
    this.plot = new uPlot(options, this.data as unknown as uPlot.AlignedData, this.host);
  }

  clear(): void {
    this.data = this.emptyData();
    this.plot?.setData(this.data as unknown as uPlot.AlignedData);
  }

  /** Adds a place on the x axis; what lies behind it is dropped, because training went back there. */
  add(x: number, values: readonly number[]): void {
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
