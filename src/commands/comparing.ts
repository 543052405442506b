/** Comparing as a command: the folder, data and device of each seed, signals, and the results around `compareMethod`. */
import { join } from 'node:path';
import { compareMethod, type Outcome } from '../compare/comparison.ts';
import { METHODS, methodsNamed } from '../compare/list.ts';
import type { Method, ShownStep } from '../compare/method.ts';
import { shownName, summaryOf } from '../compare/summary.ts';
import type { DataSet } from '../data/types.ts';
import { writeWhole } from '../files/disk.ts';
import { comparisonPage } from '../report/comparison.ts';
import { type Config, checkConfig } from '../romo/config.ts';
import { type DeviceOptions, type Gpu, openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import {
  appendOutcome,
  type Comparison,
  createComparisonFolder,
  holdsComparison,
  readComparison,
  readOutcomes,
  removeWarmUps,
  warmUpsIn,
  writeComparison,
} from './comparison_folder.ts';
import { comparisonCsv, comparisonJson, comparisonTable, outcomeLine } from './comparison_table.ts';
import { deviceOptions, withDevice } from './device.ts';
import { checkAgreement, type TrainOptions } from './options.ts';
import { ProgressReport } from './report.ts';
import { writeJson } from './run_folder.ts';
import { StopRequest } from './signals.ts';
import { type UsedWeights, usePretrained } from './weights.ts';

/** Options of a comparison: those of training, and what is compared. */
export interface CompareOptions extends TrainOptions {
  /** default: all, or those of the comparison that is continued */
  readonly methods?: readonly Method[] | undefined;
  /** default: 1, or those of the comparison that is continued */
  readonly seeds?: number | undefined;
}

/** The user stopped the comparison; what is finished is on disk. */
class Stopped extends Error {}

/** What the parts of a comparison share. */
interface Progress {
  readonly options: CompareOptions;
  readonly report: ProgressReport;
  readonly stop: StopRequest;
  readonly weights: UsedWeights | null;
  /** of the finished methods; grows */
  readonly outcomes: Outcome[];
}

/**
 * Compares to the end, or until the user stops it; then the exit code says so.
 * @param open opens the GPU; called for each seed, and again if it is lost
 */
export async function compare(
  options: CompareOptions,
  open: (options: DeviceOptions) => Promise<Gpu> = openDevice,
): Promise<void> {
  const { out, resume, quiet } = options;
  if (!resume && !options.overwrite && holdsComparison(out)) {
    const fix = `Choose another --out, add --overwrite, or continue it: --resume ${out}.`;
    throw new RomoError('file', `${out} holds another comparison`, fix);
  }
  const stored = resume ? readComparison(out) : null;
  if (stored) checkAgreement(options, stored.config);
  const config = stored?.config ?? options.config;
  const methods = options.methods ?? methodsNamed(stored?.methods.join(',') ?? 'all');
  const seeds = options.seeds ?? stored?.seeds ?? 1;
  const report = new ProgressReport(quiet, process.stderr);
  const say = (text: string) => report.line(text);
  const stop = new StopRequest(say);
  const weights = resume ? usePretrained(config) : options.weights;
  const outcomes = resume ? readOutcomes(out, say) : [];
  const progress = { options, report, stop, weights, outcomes };
  const comparison = { config, methods: methods.map(({ name }) => name), seeds };
  let isStopped = false;
  try {
    for (let at = 0; at < seeds && !isStopped; at++) {
      isStopped = await compareSeed(comparison, methods, config.seed + at, progress, open);
    }
  } finally {
    stop.end();
    report.stop();
  }
  await showResults(out, comparison, methods, outcomes);
  if (!isStopped) return;
  process.stdout.write(`stopped. Continue with: node dist/compare.js --resume ${out}\n`);
  process.exitCode = stop.exitCode as number;
}

/** Compares the methods that are not finished yet with one seed. @returns whether the user stopped it */
async function compareSeed(
  comparison: Comparison,
  methods: readonly Method[],
  seed: number,
  progress: Progress,
  open: (options: DeviceOptions) => Promise<Gpu>,
): Promise<boolean> {
  const { options, report, outcomes, stop } = progress;
  const { out, device, memory } = options;
  const isDone = ({ name }: Method) => outcomes.some((done) => done.method === name && done.seed === seed);
  if (methods.every(isDone)) return false;
  const config: Config = { ...comparison.config, seed };
  const { data, skipped, close } = await options.openData(config, null);
  try {
    const usable = usableOn(data, methods, report);
    const counts = { train: data.train.pairs.length, test: data.test.pairs.length };
    Object.assign(config, counts);
    checkConfig(config); // with the actual object counts
    if (!options.resume && outcomes.length === 0) {
      createComparisonFolder(out);
      Object.assign(comparison.config, counts);
    }
    await writeComparison(out, comparison);
    if (skipped.length > 0) report.line(`seed ${seed}: ${skipped.length} bad objects skipped`);
    await withDevice(
      () => open({ ...deviceOptions(device), memoryBytes: memory }),
      async (gpu) => {
        for (const [at, method] of usable.entries()) {
          if (isDone(method)) continue;
          if (stop.exitCode !== null) return;
          report.line(`seed ${seed}, ${at + 1} of ${usable.length}: ${shownName(method)}`);
          const outcome = await compareOne(gpu, method, data, config, progress);
          if (!outcome) return;
          await appendOutcome(out, outcome);
          outcomes.push(outcome);
          report.line(`  ${outcomeLine(outcome)}`);
        }
        removeWarmUps(out);
      },
      (losses) => report.line(`the GPU was lost (${losses}); opening it again`),
    );
    return stop.exitCode !== null;
  } finally {
    await close();
  }
}

/**
 * The methods that the data suffice for: without labels, a method that reads them is left out of `all`.
 * @throws RomoError `data` if such a method was asked for by name
 */
function usableOn({ name, train }: DataSet, methods: readonly Method[], report: ProgressReport): readonly Method[] {
  if (train.labels) return methods;
  const supervised = methods.filter(({ readsLabels }) => readsLabels).map(shownName);
  if (supervised.length > 0 && methods.length < METHODS.length) {
    throw new RomoError('data', `${supervised.join(', ')}: ${name} has no labels`, 'Leave it out of --methods.');
  }
  for (const left of supervised) report.line(`${left}: left out, since the data have no labels`);
  return methods.filter(({ readsLabels }) => !readsLabels);
}

/** @returns null if the user stopped it */
async function compareOne(
  gpu: Gpu,
  method: Method,
  data: DataSet,
  config: Config,
  { options, report, stop, weights }: Progress,
): Promise<Outcome | null> {
  report.restart();
  const hooks = {
    pretrained: weights?.pretrained,
    checkFinite: options.checkFinite,
    onStep: (step: ShownStep) => report.step({ ...step, stage: `  ${step.stage}` }),
    async onPosition() {
      if (stop.exitCode !== null) throw new Stopped();
    },
  };
  try {
    const warmUps = warmUpsIn(options.out, (text) => report.line(text));
    return await compareMethod(gpu, method, data, config, { hooks, warmUps });
  } catch (error) {
    if (error instanceof Stopped) return null; // not thrown: nothing waits for the report of a lost device
    throw error;
  }
}

/** Writes the files of results and prints the table. */
async function showResults(
  out: string,
  comparison: Comparison,
  methods: readonly Method[],
  outcomes: readonly Outcome[],
): Promise<void> {
  const { seed: first } = comparison.config;
  const asked = outcomes.filter(
    ({ method, seed }) => comparison.methods.includes(method) && seed >= first && seed < first + comparison.seeds,
  );
  const summary = summaryOf(methods, asked);
  if (summary.length === 0) return;
  await writeJson(join(out, 'compare.json'), comparisonJson(comparison, summary, asked));
  await writeWhole(join(out, 'compare.csv'), comparisonCsv(methods, asked));
  await writeWhole(join(out, 'compare.html'), comparisonPage({ ...comparison, summary, outcomes: asked }));
  process.stdout.write(`${comparisonTable(summary)}\nwritten to ${out}\n`);
}
