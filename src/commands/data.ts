/** Opens the data of a command, with options that do not change results. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { openData } from '../data/open.ts';
import { defaultCacheFolder } from '../data/sets/rendered_cache.ts';
import type { CheckedData, DataOptions, LabelledDataSet, Skipped } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import { preparationOf } from '../romo/preparation.ts';
import { whole } from './parse.ts';
import { Progress } from './progress.ts';

/** Default number of threads: the GPU's driver and the main thread need cores too. */
const defaultWorkers = (): number => Math.max(1, Math.min(8, availableParallelism() - 2));

export function addDataOptions(command: Command): Command {
  return command
    .option('--workers <n>', `threads that read files; 0: none (default here: ${defaultWorkers()})`, whole(0))
    .option('--cache-dir <dir>', `folder for rendered views, or none (default: ${defaultCacheFolder()})`);
}

export interface OpenedData {
  readonly data: LabelledDataSet | CheckedData;
  readonly skipped: readonly Skipped[];
  /** Ends the reading threads. */
  close(): Promise<void>;
}

/** The fewest points that a cloud must have: DGCNN's graphs need k neighbours. */
export const neededPoints = ({ pointEncoder, ssm, rdl }: Config): number =>
  pointEncoder === 'dgcnn' ? Math.max(ssm.k, rdl.k) : 1;

/** Opens the data that a configuration names, and shows progress. */
export async function openRunData(
  config: Config,
  command: Command,
  options: Pick<DataOptions, 'fewerWillDo' | 'noneWillDo' | 'known' | 'leastPoints'> = {},
): Promise<OpenedData> {
  const { workers = defaultWorkers(), cacheDir = defaultCacheFolder(), quiet, json } = command.opts();
  const progress = new Progress('reading', 'pairs', quiet || json);
  try {
    const data = await openData(config.data, {
      ...config.set,
      ...preparationOf(config),
      train: config.train,
      test: config.test,
      leastPoints: neededPoints(config),
      workers,
      cacheFolder: cacheDir === 'none' ? null : cacheDir,
      onProgress: (done, total) => progress.update(done, total),
      ...options,
    });
    // Training and --inspect show these in their own output.
    const notes = 'found' in data && command.name() !== 'train' ? data.found.notes : [];
    for (const note of notes) process.stderr.write(`${config.data}: ${note}\n`);
    return 'close' in data
      ? { data, skipped: data.skipped, close: () => data.close() }
      : { data, skipped: [], close: async () => {} };
  } finally {
    progress.stop();
  }
}
