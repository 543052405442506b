/**
 * Charts of a report as SVG text, drawn by Observable Plot; ink is the text's colour, so light, dark and paper work.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { DIRECTIONS, type Direction, RECALL_LEVELS, type RetrievalFigures } from '../romo/figures/retrieval.ts';
import type { RelabelReport } from '../romo/method/rdl.ts';

const { document } = parseHTML('<!doctype html><html><body></body></html>');
const SCHEME = 'tableau10';

/** A chart as SVG text, with a label for screen readers. */
export function drawn(options: Plot.PlotOptions, label: string): string {
  const x = { labelAnchor: 'center', labelOffset: 34, ...options.x } as const;
  const look = { document: document as unknown as Document, marginBottom: 42, style: { fontSize: '12px' } };
  const chart = Plot.plot({ ...look, ...options, x });
  const svg = chart.tagName.toLowerCase() === 'svg' ? chart : chart.querySelector('svg:last-of-type');
  svg?.setAttribute('role', 'img');
  svg?.setAttribute('aria-label', label);
  return chart.outerHTML;
}

/** The losses of one step, as in metrics.jsonl. */
export interface LossPoint {
  stage: string;
  step: number;
  loss: number;
  supervision: number;
  invariance: number;
}

const NAMES = { loss: 'total', supervision: 'labels', invariance: 'pairs' } as const;
const POINTS = 300; // per line: more would be indistinguishable

/** The losses of a stage over its steps, averaged over consecutive steps to at most 300 points per line. */
export function lossChart(points: readonly LossPoint[], stage: string): string {
  const chunk = Math.max(1, Math.ceil(points.length / POINTS));
  const rows: { step: number; value: number; part: string }[] = [];
  for (let start = 0; start < points.length; start += chunk) {
    const some = points.slice(start, start + chunk);
    for (const [key, part] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
      const value = some.reduce((sum, point) => sum + point[key], 0) / some.length;
      rows.push({ step: some[some.length - 1].step, value, part });
    }
  }
  return drawn(
    {
      width: 460,
      height: 240,
      grid: true,
      color: { legend: true, scheme: SCHEME, domain: Object.values(NAMES) },
      y: { label: 'loss', zero: true },
      x: { label: 'step' },
      marks: [
        Plot.ruleY([0]),
        Plot.lineY(rows, { x: 'step', y: 'value', z: 'part', stroke: 'part', strokeWidth: 1.6 }),
      ],
    },
    `Losses of ${stage}`,
  );
}

const WATCHED = { confident: 'confident', moved: 'label moved', agreement: 'views agree' } as const;

/** Self-labelling over the epochs of `rdl`: what can be watched without any label. */
export function relabelChart(reports: readonly RelabelReport[]): string {
  const rows = reports.flatMap((report) =>
    (Object.keys(WATCHED) as (keyof typeof WATCHED)[])
      .filter((key) => report[key] !== undefined) // runs of an earlier version lack some
      .map((key) => ({ epoch: report.epoch + 1, share: report[key], what: WATCHED[key] })),
  );
  return drawn(
    {
      width: 460,
      height: 240,
      grid: true,
      color: { legend: true, scheme: SCHEME, domain: Object.values(WATCHED) },
      y: { label: 'share of the objects', domain: [0, 1] },
      x: { label: 'epoch of rdl', ticks: Math.min(reports.length, 10), tickFormat: 'd' },
      marks: [
        Plot.ruleY([0]),
        Plot.lineY(rows, { x: 'epoch', y: 'share', z: 'what', stroke: 'what' }),
        Plot.dot(rows, { x: 'epoch', y: 'share', fill: 'what' }), // a marker of the line would have a number of its own
      ],
    },
    'Self-labelling',
  );
}

/** Precision over recall, one line per direction. */
export function recallChart(figures: Readonly<Record<Direction, RetrievalFigures>>): string {
  const rows = (Object.keys(figures) as Direction[]).flatMap((direction) =>
    figures[direction].precisionAtRecall.map((precision, level) => ({
      recall: RECALL_LEVELS[level],
      precision,
      direction: DIRECTIONS[direction],
    })),
  );
  return drawn(
    {
      width: 460,
      height: 300,
      grid: true,
      color: { legend: true, scheme: SCHEME, domain: Object.values(DIRECTIONS) },
      x: { domain: [0, 1] },
      y: { domain: [0, 1] },
      marks: [Plot.lineY(rows, { x: 'recall', y: 'precision', z: 'direction', stroke: 'direction', strokeWidth: 1.6 })],
    },
    'Precision over recall',
  );
}

/** Mean average precision per class, across the modalities. */
export function classChart(figures: Readonly<Record<Direction, RetrievalFigures>>): string {
  const rows = (['imageToPoints', 'pointsToImage'] as const).flatMap((direction) =>
    figures[direction].perClass
      .filter(({ queries }) => queries > 0)
      .map(({ name, meanAveragePrecision }) => ({ name, mAP: meanAveragePrecision, direction: DIRECTIONS[direction] })),
  );
  const classes = new Set(rows.map(({ name }) => name)).size;
  return drawn(
    {
      width: 460,
      height: 60 + 34 * classes,
      marginLeft: 110,
      grid: true,
      color: { legend: true, scheme: SCHEME, domain: [DIRECTIONS.imageToPoints, DIRECTIONS.pointsToImage] },
      x: { domain: [0, 1], label: 'mAP' },
      y: { axis: null, domain: [DIRECTIONS.imageToPoints, DIRECTIONS.pointsToImage] },
      fy: { label: null },
      marks: [
        Plot.barX(rows, { x: 'mAP', y: 'direction', fy: 'name', fill: 'direction' }),
        Plot.ruleX([0]),
        Plot.axisFy({ anchor: 'left', label: null }),
      ],
    },
    'Mean average precision per class',
  );
}

/** Classes of the nearest answers, as shares of the queries of each class. */
export function confusionChart(
  { confusion }: Pick<RetrievalFigures, 'confusion'>,
  classNames: readonly string[],
  direction: Direction,
): string {
  const cells = confusion.flatMap((row, asked) => {
    const queries = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, found) => ({
      asked: classNames[asked],
      found: classNames[found],
      share: queries > 0 ? count / queries : 0,
    }));
  });
  const size = 120 + 32 * classNames.length;
  return drawn(
    {
      width: size,
      height: size,
      marginLeft: 100,
      marginBottom: 90,
      padding: 0.06,
      color: { type: 'linear', domain: [0, 1], range: ['#8883', '#2f6fde'], interpolate: 'rgb' },
      x: { domain: classNames, label: 'class of the nearest answer', labelOffset: 84, tickRotate: -45 },
      y: { domain: classNames, label: 'class of the query' },
      marks: [
        Plot.cell(cells, { x: 'found', y: 'asked', fill: 'share', inset: 0 }),
        Plot.text(
          cells.filter(({ share }) => share >= 0.005),
          { x: 'found', y: 'asked', text: ({ share }) => `${Math.round(100 * share)}`, fill: 'currentColor' },
        ),
      ],
    },
    `Nearest answers, ${DIRECTIONS[direction]}, in percent`,
  );
}

/** A row of the map: the place of an image or a cloud. */
export interface MapPoint {
  x: number;
  y: number;
  kind: 'image' | '3D';
  className: string;
}

/** The embedding in two dimensions: images as dots, clouds as triangles, coloured by class. */
export function mapChart(points: readonly MapPoint[], classNames: readonly string[]): string {
  return drawn(
    {
      width: 760,
      height: 520,
      axis: null,
      inset: 8,
      color: { legend: true, scheme: SCHEME, domain: classNames },
      symbol: { domain: ['image', '3D'], range: ['circle', 'triangle'] },
      marks: [
        Plot.dot(points, {
          x: 'x',
          y: 'y',
          stroke: 'className',
          symbol: 'kind',
          r: 3,
          strokeOpacity: 0.85,
          fill: 'none',
        }),
      ],
    },
    'Map of the embedding: images as dots, clouds as triangles',
  );
}
