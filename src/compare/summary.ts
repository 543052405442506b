/** The results of a comparison over its seeds. */
import type { Outcome } from './comparison.ts';
import type { ComparedFigures } from './figures.ts';
import type { Method } from './method.ts';

/** A figure over the seeds. */
export interface Spread {
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
}

/** The figures that the tables show, by their names in the files, with their headings. */
export const MEASURES = {
  imageToPoints: 'mAP image -> 3D',
  pointsToImage: 'mAP 3D -> image',
  imageToPointsRecallAt1: 'recall@1 image -> 3D',
  pointsToImageRecallAt1: 'recall@1 3D -> image',
  clusterAccuracy: 'cluster accuracy',
} as const;
export type Measure = keyof typeof MEASURES;

/** A method's row: its figures over the seeds that did not fail. */
export interface Summary {
  readonly method: Method;
  readonly seeds: number;
  readonly failed: number;
  /** null if every seed failed, or the data have no labels for it */
  readonly figures: Readonly<Record<Measure, Spread | null>>;
  readonly seconds: number;
  /** failures and signs of a collapse, each once, with the seeds that had it */
  readonly notes: readonly string[];
}

/** One row per method that has outcomes, in the order of the methods. */
export function summaryOf(methods: readonly Method[], outcomes: readonly Outcome[]): Summary[] {
  return methods.flatMap((method) => {
    const own = outcomes.filter((outcome) => outcome.method === method.name).sort((a, b) => a.seed - b.seed);
    return own.length > 0 ? [rowOf(method, own)] : [];
  });
}

function rowOf(method: Method, outcomes: readonly Outcome[]): Summary {
  const measured = outcomes.flatMap(({ figures }) => figures ?? []);
  const names = Object.keys(MEASURES) as Measure[];
  const figures = Object.fromEntries(names.map((name) => [name, spreadOf(measured, name)]));
  return {
    method,
    seeds: outcomes.length,
    failed: outcomes.length - measured.length,
    figures: figures as Summary['figures'],
    seconds: meanOf(outcomes.map(({ seconds }) => seconds)),
    notes: notesOf(outcomes),
  };
}

function spreadOf(measured: readonly ComparedFigures[], name: Measure): Spread | null {
  const values = measured.flatMap((figures) => figures[name] ?? []);
  if (values.length === 0) return null;
  return { mean: meanOf(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function notesOf(outcomes: readonly Outcome[]): string[] {
  const seeds = new Map<string, number[]>();
  for (const { seed, failure, notes } of outcomes) {
    for (const text of failure ? [`failed: ${failure}`, ...notes] : notes) {
      seeds.set(text, [...(seeds.get(text) ?? []), seed]);
    }
  }
  const all = outcomes.length;
  return [...seeds].map(([text, of]) => (of.length === all ? text : `seed ${of.join(', ')}: ${text}`));
}

/** What a hit is when the data have no labels; null if they have some. */
export function withoutLabels(summary: readonly Summary[]): string | null {
  if (summary.some(({ figures }) => figures.clusterAccuracy)) return null;
  return "The data have no labels: only a query's own partner is a hit, and cluster accuracy is left out.";
}

/** The words that mark a method that reads labels, wherever its name is shown. */
export const shownName = ({ name, readsLabels }: Pick<Method, 'name' | 'readsLabels'>): string =>
  readsLabels ? `${name} (reads labels)` : name;

/** 0.913 or, over several seeds, 0.913 (0.901-0.921); empty without a value. */
export function shownSpread(spread: Spread | null, digits = 3): string {
  if (!spread) return '-';
  const [mean, lowest, highest] = [spread.mean, spread.lowest, spread.highest].map((value) => value.toFixed(digits));
  return lowest === highest ? mean : `${mean} (${lowest}-${highest})`;
}
