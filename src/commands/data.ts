/** Opens the data of a command, with options that do not change results. */
import { availableParallelism } from 'node:os';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { openData } from '../data/open.ts';
import { defaultCacheFolder } from '../data/sets/rendered_cache.ts';
import type { CheckedData, LabelledDataSet, Skipped } from '../data/types.ts';
import type { Config } from '../romo/config.ts';
import { preparationOf } from '../romo/preparation.ts';
import { whole } from './parse.ts';

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

/**
 * Opens the data that a configuration names, and shows progress on a terminal.
 * @param fewerWillDo see DataOptions
 */
export async function openRunData(
  config: Config,
  command: Command,
  fewerWillDo = { train: false, test: false },
): Promise<OpenedData> {
  const { workers = defaultWorkers(), cacheDir = defaultCacheFolder(), quiet, json } = command.opts();
  const bar =
    process.stdout.isTTY && !quiet && !json
      ? new SingleBar({ format: 'reading [{bar}] {value} of {total} pairs', hideCursor: true, clearOnComplete: true })
      : null;
  const onProgress = (done: number, total: number) => {
    if (bar && !bar.isActive) bar.start(total, done);
    bar?.update(done);
  };
  try {
    const data = await openData(config.data, {
      ...config.set,
      ...preparationOf(config),
      train: config.train,
      test: config.test,
      fewerWillDo,
      workers,
      cacheFolder: cacheDir === 'none' ? null : cacheDir,
      onProgress,
    });
    // Training and --inspect show these in their own output.
    const notes = 'found' in data && command.name() !== 'train' ? data.found.notes : [];
    for (const note of notes) process.stderr.write(`${config.data}: ${note}\n`);
    return 'close' in data
      ? { data, skipped: data.skipped, close: () => data.close() }
      : { data, skipped: [], close: async () => {} };
  } finally {
    bar?.stop();
  }
}
