/**
 * Retrieval in full: more figures of an embedding than its mean average precision. All of it comes from the same
 * rankings as the mean average precision of metrics.ts, in float64. Nothing but the evaluation reads labels.
 */
import type { Labels } from '../../data/types.ts';
import type { Embeddings } from '../embedding.ts';
import { averagePrecision, hitRanks, mean, rankings, sum } from './metrics.ts';

/** The cuts k of the figures "at k". */
export const CUTS = [1, 5, 10] as const;

/** Recall levels of the precision-recall curve: 0, 0.05, ... 1. */
export const RECALL_LEVELS = Array.from({ length: 21 }, (_, i) => i / 20);

/** How well one kind of query finds its class. */
export interface RetrievalFigures {
  /** over the whole ranking; a query whose class is not in the gallery counts as 0 */
  meanAveragePrecision: number;
  /** per cut k: average precision of the first k answers, of at most min(k, items of the class) hits */
  averagePrecisionAt: Record<number, number>;
  /** per cut k: share of queries with an item of their class among the first k answers (recall@k) */
  recallAt: Record<number, number>;
  /** mean over queries of the best precision at or beyond each of RECALL_LEVELS */
  precisionAtRecall: number[];
  perClass: { name: string; queries: number; meanAveragePrecision: number; recallAt1: number }[];
  /** [class of the query][class of the nearest answer]: counts */
  confusion: number[][];
  /** of each query, in order */
  averagePrecisions: Float64Array;
  /** the nearest answers of each query, best first; fewer if the gallery is smaller */
  nearest: Uint32Array[];
}

/** One side of an embedding with its classes. */
export interface Side {
  /** [rows, d] */
  readonly rows: Float32Array;
  readonly labels: ArrayLike<number>;
}

/**
 * Figures of queries against a gallery, by cosine.
 * @param withoutItself query i is also item i of the gallery, and does not count as its own answer
 * @throws RomoError `shape` like meanAveragePrecision
 */
export function retrievalFigures(
  queries: Side,
  gallery: Side,
  {
    dimension,
    classNames,
    withoutItself,
  }: { dimension: number; classNames: readonly string[]; withoutItself: boolean },
): RetrievalFigures {
  const count = queries.labels.length;
  const averagePrecisions = new Float64Array(count);
  const nearest: Uint32Array[] = [];
  const precisionSums = new Float64Array(RECALL_LEVELS.length);
  const sums = CUTS.map(() => ({ precision: 0, found: 0 }));
  const confusion = classNames.map(() => classNames.map(() => 0));
  for (const { query, ranking } of rankings(queries, gallery, dimension)) {
    const answers = withoutItself ? ranking.filter((item) => item !== query) : ranking;
    const hits = hitRanks(answers, gallery.labels, queries.labels[query]);
    const precisions = hits.map((rank, i) => (i + 1) / rank);
    averagePrecisions[query] = averagePrecision(hits);
    CUTS.forEach((cut, c) => {
      const inside = precisions.filter((_, i) => hits[i] <= cut);
      if (inside.length > 0) sums[c].found++;
      sums[c].precision += sum(inside) / Math.max(1, Math.min(cut, hits.length));
    });
    addCurve(precisionSums, precisions);
    nearest.push(answers.slice(0, Math.max(...CUTS)));
    if (answers.length > 0) confusion[queries.labels[query]][gallery.labels[answers[0]]]++;
  }
  const perCut = (value: (of: (typeof sums)[number]) => number) =>
    Object.fromEntries(CUTS.map((cut, c) => [cut, value(sums[c]) / count]));
  return {
    meanAveragePrecision: mean([...averagePrecisions]),
    averagePrecisionAt: perCut(({ precision }) => precision),
    recallAt: perCut(({ found }) => found),
    precisionAtRecall: [...precisionSums].map((total) => total / count),
    perClass: perClass(queries.labels, classNames, averagePrecisions, confusion),
    confusion,
    averagePrecisions,
    nearest,
  };
}

/** Interpolated as in information retrieval: the precision at a level is the best of all hits at or beyond it. */
function addCurve(sums: Float64Array, precisions: readonly number[]): void {
  let best = 0;
  let hit = precisions.length - 1;
  for (let level = sums.length - 1; level >= 0; level--) {
    for (; hit >= 0 && (hit + 1) / precisions.length >= RECALL_LEVELS[level]; hit--) {
      best = Math.max(best, precisions[hit]);
    }
    sums[level] += best;
  }
}

function perClass(
  labels: ArrayLike<number>,
  classNames: readonly string[],
  averagePrecisions: Float64Array,
  confusion: readonly number[][],
): RetrievalFigures['perClass'] {
  return classNames.map((name, label) => {
    const own = [...averagePrecisions].filter((_, query) => labels[query] === label);
    const recallAt1 = own.length > 0 ? confusion[label][label] / own.length : 0;
    return { name, queries: own.length, meanAveragePrecision: mean(own), recallAt1 };
  });
}

/** Across and within the modalities; within one, a query does not count as its own answer. */
export const DIRECTIONS = {
  imageToPoints: 'image -> 3D',
  pointsToImage: '3D -> image',
  imageToImage: 'image -> image',
  pointsToPoints: '3D -> 3D',
} as const;
export type Direction = keyof typeof DIRECTIONS;

/** The figures in all directions for the embeddings of one split. */
export function allDirections(
  { images, clouds, dimension }: Embeddings,
  { values, classNames }: Labels,
): Record<Direction, RetrievalFigures> {
  const [image, cloud] = [images, clouds].map((rows): Side => ({ rows, labels: values }));
  const across = { dimension, classNames, withoutItself: false };
  const within = { dimension, classNames, withoutItself: true };
  return {
    imageToPoints: retrievalFigures(image, cloud, across),
    pointsToImage: retrievalFigures(cloud, image, across),
    imageToImage: retrievalFigures(image, image, within),
    pointsToPoints: retrievalFigures(cloud, cloud, within),
  };
}

/** The figures without those of single queries, for JSON. */
export function plainFigures(figures: Readonly<Record<Direction, RetrievalFigures>>) {
  const plain = ({ averagePrecisions: _all, nearest: _nearest, ...rest }: RetrievalFigures) => rest;
  return Object.fromEntries(Object.entries(figures).map(([direction, value]) => [direction, plain(value)]));
}
