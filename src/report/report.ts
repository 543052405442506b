/** Collects the contents of a finished run's report, and writes it as one HTML file. */
import type { DataSet, Split } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import type { Embeddings } from '../romo/embedding.ts';
import type { Figures } from '../romo/figures/figures.ts';
import type { Direction, RetrievalFigures } from '../romo/figures/retrieval.ts';
import type { RelabelReport } from '../romo/method/rdl.ts';
import type { StageName } from '../romo/run/run.ts';
import type { Gpu } from '../tensor/device.ts';
import type { LossPoint } from './charts.ts';
import { clustersOf, examplesOf, Items, mapOf } from './contents.ts';
import { reportPage } from './page.ts';

/** Results that the evaluation already has. */
export interface Evaluated {
  readonly config: Config;
  readonly stages: Readonly<Record<StageName, Figures>>;
  readonly stageNames: Readonly<Record<StageName, string>>;
  /** of the held-out pairs, by the last stage */
  readonly embeddings: Embeddings;
  readonly retrieval: Readonly<Record<Direction, RetrievalFigures>>;
  readonly losses: readonly LossPoint[];
  /** empty without self-labelling */
  readonly relabels: readonly RelabelReport[];
}

/** The report's HTML. */
export async function reportOf(
  gpu: Gpu,
  data: Pick<DataSet, 'rotation'> & { test: Split },
  evaluated: Evaluated,
): Promise<string> {
  const { config, embeddings, retrieval, stages, stageNames, losses, relabels } = evaluated;
  const { pairs, labels } = data.test;
  const items = new Items(pairs, labels, data.rotation);
  const across = ['imageToPoints', 'pointsToImage'] as const;
  return reportPage({
    config,
    adapter: gpu.adapterName,
    stages,
    stageNames,
    retrieval,
    classNames: labels.classNames,
    queries: pairs.length,
    losses,
    relabels,
    map: mapOf(embeddings, labels, config.seed),
    examples: await Promise.all(across.map((direction) => examplesOf(direction, retrieval[direction], items))),
    clusters: await clustersOf(gpu, embeddings, labels, config, items),
  });
}

/** The losses of each step and the reports of self-labelling in a metrics.jsonl; other lines are skipped. */
export function metricsIn(text: string): Pick<Evaluated, 'losses' | 'relabels'> {
  const entries = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return {
    losses: entries.filter(({ loss, step }) => Number.isFinite(loss) && Number.isFinite(step)),
    relabels: entries.filter(({ confident }) => Number.isFinite(confident)),
  };
}
