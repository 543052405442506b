/** The results of a comparison as a table, as JSON and as CSV. */
import Table from 'cli-table3';
import type { Outcome } from '../compare/comparison.ts';
import { KINDS, type Kind, type Method } from '../compare/method.ts';
import { MEASURES, type Measure, type Summary, shownName, shownSpread, withoutLabels } from '../compare/summary.ts';
import type { Comparison } from './comparison_folder.ts';
import { duration } from './report.ts';

const HEAD = ['method', 'mAP image -> 3D', 'mAP 3D -> image', 'recall@1', 'cluster accuracy', 'seconds'];

/** The table for a terminal, and what is to be said about single methods below it. */
export function comparisonTable(summary: readonly Summary[]): string {
  const table = new Table({
    head: HEAD,
    colAligns: ['left', ...HEAD.slice(1).map(() => 'right' as const)],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const rows = summary.filter(({ method }) => method.kind === kind);
    if (rows.length > 0) table.push([`${KINDS[kind]}:`, ...HEAD.slice(1).map(() => '')]);
    for (const { method, figures, seconds } of rows) {
      const { imageToPoints, pointsToImage, imageToPointsRecallAt1, pointsToImageRecallAt1, clusterAccuracy } = figures;
      const recall = [imageToPointsRecallAt1, pointsToImageRecallAt1].map((spread) => spread?.mean.toFixed(3) ?? '-');
      table.push([
        `  ${shownName(method)}`,
        shownSpread(imageToPoints),
        shownSpread(pointsToImage),
        recall.join(' / '),
        shownSpread(clusterAccuracy),
        seconds.toFixed(1),
      ]);
    }
  }
  const seeds = Math.max(...summary.map((row) => row.seeds));
  const remarks = [
    seeds > 1 ? `mean over ${seeds} seeds (lowest-highest); recall@1 image -> 3D / 3D -> image` : 'one seed',
    ...[withoutLabels(summary) ?? []].flat(),
    ...summary.flatMap(({ method, notes }) => notes.map((text) => `${shownName(method)}: ${text}`)),
  ];
  return `${table.toString()}\n${remarks.join('\n')}`;
}

/** One line about a finished method. */
export function outcomeLine({ figures, failure, notes, seconds }: Outcome): string {
  const result = figures
    ? `mAP ${figures.imageToPoints.toFixed(3)} / ${figures.pointsToImage.toFixed(3)}`
    : `failed: ${failure}`;
  return [`${result}, ${duration(seconds)}`, ...notes].join('; ');
}

/** Contents of compare.json. */
export function comparisonJson(
  { config, seeds }: Comparison,
  summary: readonly Summary[],
  outcomes: readonly Outcome[],
): object {
  const methods = summary.map(({ method, ...row }) => {
    const { name, kind, what, source, uses, readsLabels = false } = method;
    return { name, kind, what, source, uses, readsLabels, ...row };
  });
  return { config, seeds, methods, outcomes };
}

const COLUMNS: Readonly<Record<Measure, string>> = {
  imageToPoints: 'map_image_to_3d',
  pointsToImage: 'map_3d_to_image',
  imageToPointsRecallAt1: 'recall_at_1_image_to_3d',
  pointsToImageRecallAt1: 'recall_at_1_3d_to_image',
  clusterAccuracy: 'cluster_accuracy',
};

/** Contents of compare.csv: a line per method and seed. */
export function comparisonCsv(methods: readonly Method[], outcomes: readonly Outcome[]): string {
  const measures = Object.keys(MEASURES) as Measure[];
  const head = ['method', 'kind', 'reads_labels', 'seed', ...measures.map((name) => COLUMNS[name]), 'seconds', 'notes'];
  const lines = methods.flatMap(({ name, kind }) =>
    outcomes
      .filter(({ method }) => method === name)
      .map(({ seed, readsLabels, figures, failure, notes, seconds }) => [
        name,
        kind,
        readsLabels ? 'yes' : 'no',
        seed,
        ...measures.map((measure) => figures?.[measure]?.toFixed(6) ?? ''),
        seconds.toFixed(2),
        [...(failure ? [`failed: ${failure}`] : []), ...notes].join('; '),
      ]),
  );
  return `${[head, ...lines].map((cells) => cells.map(quoted).join(',')).join('\n')}\n`;
}

const quoted = (cell: string | number): string =>
  /[",\n]/.test(`${cell}`) ? `"${`${cell}`.replaceAll('"', '""')}"` : `${cell}`;
