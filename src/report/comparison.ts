/** The page of a comparison: a chart, the table, and what each method is. */
import * as Plot from '@observablehq/plot';
import type { Outcome } from '../compare/comparison.ts';
import { KINDS, type Kind } from '../compare/method.ts';
import { MEASURES, type Measure, type Summary, shownName, shownSpread, withoutLabels } from '../compare/summary.ts';
import type { Config } from '../romo/config.ts';
import { DIRECTIONS } from '../romo/figures/retrieval.ts';
import { drawn } from './charts.ts';
import { escaped, figure, htmlPage, section, table } from './page.ts';

/** What the page shows. */
export interface ComparisonReport {
  readonly config: Config;
  readonly seeds: number;
  readonly summary: readonly Summary[];
  readonly outcomes: readonly Outcome[];
}

const ACROSS = ['imageToPoints', 'pointsToImage'] as const;

/** The mean of both directions; methods without figures come last. */
const scoreOf = ({ figures }: Summary): number =>
  ACROSS.reduce((sum, name) => sum + (figures[name]?.mean ?? -1), 0) / ACROSS.length;

/** mAP of each method in both directions, best first: dots for the means, lines from the lowest to the highest seed. */
export function comparisonChart(summary: readonly Summary[]): string {
  const sorted = [...summary].sort((a, b) => scoreOf(b) - scoreOf(a));
  const rows = sorted.flatMap(({ method, figures }) =>
    ACROSS.flatMap((name) => {
      const spread = figures[name];
      return spread ? [{ ...spread, method: shownName(method), direction: DIRECTIONS[name] }] : [];
    }),
  );
  const directions = ACROSS.map((name) => DIRECTIONS[name]);
  return drawn(
    {
      width: 760,
      height: 80 + 24 * sorted.length,
      marginLeft: 210,
      grid: true,
      color: { legend: true, scheme: 'tableau10', domain: directions },
      x: { domain: [0, 1], label: 'mAP' },
      y: { domain: sorted.map(({ method }) => shownName(method)), label: null },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleY(rows, { y: 'method', x1: 'lowest', x2: 'highest', stroke: 'direction', strokeWidth: 2 }),
        Plot.dot(rows, { y: 'method', x: 'mean', fill: 'direction', r: 4 }),
      ],
    },
    'Mean average precision of each method',
  );
}

function figuresTable(summary: readonly Summary[]): string {
  const measures = Object.keys(MEASURES) as Measure[];
  const rows = summary.map(({ method, figures, seconds }) => [
    escaped(shownName(method)),
    ...measures.map((name) => shownSpread(figures[name])),
    seconds.toFixed(1),
  ]);
  return table(['method', ...measures.map((name) => escaped(MEASURES[name].replace('->', '→'))), 'seconds'], rows);
}

function methodsTable(summary: readonly Summary[]): string {
  const rows = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    summary
      .filter(({ method }) => method.kind === kind)
      .map(({ method, notes }) => [
        escaped(shownName(method)),
        ...[method.what, method.source, method.uses, method.readsLabels ? 'yes' : 'no', notes.join('; ')].map(escaped),
      ]),
  );
  return table(['method', 'what it is', 'source', 'uses', 'reads labels', 'notes'], rows);
}

/** The page as an HTML document. */
export function comparisonPage({ config, seeds, summary, outcomes }: ComparisonReport): string {
  const { train, test, preset, ssm, rdl, clusters, batch, seed } = config;
  const adapters = [...new Set(outcomes.map(({ adapter }) => adapter))].join('; ');
  const supervised = summary.filter(({ method }) => method.readsLabels).map(({ method }) => escaped(method.name));
  const labels =
    supervised.length > 0
      ? `${supervised.join(', ')} reads the labels of the training objects; all other methods see pairs only.`
      : 'All methods see pairs only.';
  const intro = `Each method was trained on the same ${train} pairs and measured on ${test} held-out pairs, with the same encoders, augmentation
and steps: ${ssm.epochs} + ${rdl.epochs} epochs in batches of ${batch}, ${clusters} clusters, preset ${escaped(preset)}, ${seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`}. ${labels}
${escaped(withoutLabels(summary) ?? '')}
Adapter: ${escaped(adapters)}.`;
  const chart = figure(
    'mAP, best method first; dots are means, lines reach from the lowest to the highest seed',
    comparisonChart(summary),
  );
  const main = `${section('Mean average precision', chart)}
${section('Figures', figuresTable(summary), '<p>Mean over the seeds (lowest-highest). Seconds are those of training; methods that share a warm-up count it each.</p>')}
${section('Methods', methodsTable(summary))}`;
  return htmlPage(`Methods compared on ${escaped(config.data)}`, intro, main);
}
