/** Training as a command: the run folder, checkpoints, signals and lost devices around `run`. */
import { join } from 'node:path';
import { TooFewObjects } from '../data/sets/found.ts';
import type { CheckedData, DataSet, KnownObjects } from '../data/types.ts';
import { makeFolder, writeWhole } from '../files/disk.ts';
import { type Config, checkConfig } from '../romo/config.ts';
import type { Position } from '../romo/method/stage_state.ts';
import type { Phase } from '../romo/method/stages.ts';
import { type RunResult, type RunSeconds, type RunState, run } from '../romo/run/run.ts';
import { type DeviceOptions, type Gpu, openDevice } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { CheckpointWriter, readCheckpoint, removeCheckpoints } from './checkpoints.ts';
import type { OpenedData } from './data.ts';
import { deviceOptions, withDevice } from './device.ts';
import { MetricsLog } from './metrics_log.ts';
import { checkAgreement, type TrainOptions } from './options.ts';
import { duration, figuresTable, ProgressReport } from './report.ts';
import {
  checkRunFolder,
  createRunFolder,
  holdsRun,
  isFinished,
  pseudoLabelsCsv,
  readConfig,
  saveModels,
  writeJson,
  writeSkipped,
} from './run_folder.ts';
import { changesOf, DRAWN_AGAIN, named, readSplit, writeSplit } from './run_split.ts';
import { StopRequest } from './signals.ts';
import { usePretrained } from './weights.ts';

/** The user stopped the run; all of its progress is in a checkpoint. */
class Stopped extends Error {}

/**
 * Trains to the end, or until the user stops it; then the exit code says so.
 * @param open opens the GPU; called again if it is lost
 */
export async function train(
  options: TrainOptions,
  open: (options: DeviceOptions) => Promise<Gpu> = openDevice,
): Promise<void> {
  const { out, quiet, device, memory } = options;
  const progress = new ProgressReport(quiet);
  if (options.resume && isFinished(out)) {
    process.stdout.write(`the run in ${out} is already finished\n`);
    return;
  }
  if (!options.resume) checkRunFolder(out, options.overwrite);
  const config = options.resume ? configOf(out) : options.config;
  if (options.resume) checkAgreement(options, config);
  const weights = options.resume ? usePretrained(config) : options.weights;
  const known = options.resume ? knownTo(out) : null;
  const { data, skipped, close } = await options.openData(config, known).catch(async (cause: Error) => {
    if (cause instanceof TooFewObjects && config.set?.onBad === 'skip' && !holdsRun(out)) {
      makeFolder(out);
      await writeSkipped(out, cause.skipped);
    }
    throw cause;
  });
  if (options.resume) tellChanges(data, out, (text) => progress.line(text));
  Object.assign(config, { train: data.train.pairs.length, test: data.test.pairs.length });
  checkConfig(config); // with the actual object counts
  const stop = new StopRequest((text) => progress.line(text));
  let isNew = !options.resume;
  try {
    const result = await withDevice(
      () => open({ ...deviceOptions(device), memoryBytes: memory }),
      async (gpu) => {
        if (isNew) {
          createRunFolder(out);
          if (config.set?.onBad === 'skip') await writeSkipped(out, skipped);
          if (skipped.length > 0) progress.line(`${skipped.length} bad objects skipped, see skipped.json`);
          if ('found' in data) await writeSplit(out, config.data, data);
          await writeJson(join(out, 'config.json'), config); // the last file: it makes the folder a run
        }
        isNew = false;
        return attempt(gpu, data, config, { ...options, weights }, { progress, stop });
      },
      (losses) => progress.line(`the GPU was lost (${losses}); opening it again`),
    );
    progress.stop();
    if (result instanceof Stopped) {
      process.stdout.write(`${result.message}. Continue with: node dist/train.js --resume ${out}\n`);
      process.exitCode = stop.exitCode as number;
    } else {
      removeCheckpoints(out);
      show(result, out);
    }
  } finally {
    stop.end();
    progress.stop();
    await close();
  }
}

/** The objects of a run that is resumed. */
function knownTo(folder: string): KnownObjects | null {
  const split = readSplit(folder);
  return split && { ...split, isCertain: true, open: 'none' };
}

/** @throws RomoError `data` if objects of the run are missing */
function tellChanges(data: OpenedData['data'], folder: string, say: (text: string) => void): void {
  if (!('found' in data)) return;
  if (!data.since) say(`warning: ${DRAWN_AGAIN}`);
  else if (data.since.missing.length > 0) {
    const what = `the run in ${folder} needs ${named(data.since.missing)}`;
    throw new RomoError('data', `${what}, which are no longer in its data`, 'Put them back, or start a new run.');
  }
  for (const change of changesOf(data.since)) say(`warning: ${change}`);
}

/** The configuration of a run that is resumed. */
function configOf(folder: string): Config {
  if (!holdsRun(folder))
    throw new RomoError('file', `${folder} holds no run`, 'Pass to --resume the folder that was --out.');
  return readConfig(join(folder, 'config.json'));
}

/** Contents of result.json. */
interface WrittenResult extends RunResult {
  /** including the time before the checkpoints that it resumed from */
  readonly seconds: RunSeconds & { readonly total: number };
}

/** Trains from the last checkpoint, or the start, to the end, or until the user stops it. */
async function attempt(
  gpu: Gpu,
  data: DataSet,
  config: Config,
  { out, checkpointEvery, checkFinite, weights, device }: TrainOptions,
  { progress, stop }: { progress: ProgressReport; stop: StopRequest },
): Promise<WrittenResult | Stopped> {
  const notes = 'found' in data ? (data as CheckedData).found.notes : [];
  const adapter = device.backend ? `${gpu.adapterName}, backend ${gpu.backend.name}` : gpu.adapterName;
  const checkpoint = readCheckpoint(out, (text) => progress.line(`warning: ${text}`));
  progress.line(`adapter: ${adapter} (${gpu.software ? 'software' : 'GPU'})`);
  progress.line(
    `data: ${config.data}, ${config.train} pairs to train on, ${config.test} held out, ${config.clusters} clusters`,
  );
  for (const note of notes) progress.line(`  ${note}`);
  if (weights) progress.line(`pretrained weights: label-free ${weights.record.labelFree}`);
  if (checkpoint) {
    progress.restart();
    progress.line(`continuing from the checkpoint at ${placeOf(checkpoint.state.stage)}`);
    if (checkpoint.adapter !== adapter) {
      progress.line(`warning: it was made on ${checkpoint.adapter}; the last digits may differ`);
    }
  }
  const metrics = new MetricsLog(join(out, 'metrics.jsonl'), checkpoint?.metricsBytes ?? 0, (text) =>
    progress.line(text),
  );
  if (!checkpoint && notes.length > 0) metrics.add({ data: notes });
  let labelsWritten = Promise.resolve();
  const writer = new CheckpointWriter(out, checkpointEvery);
  const save = (at: Position<RunState>) =>
    writer.save(
      async () => ({ config, state: await at.state(), adapter, metricsBytes: metrics.bytes }),
      async () => {
        await labelsWritten;
        await metrics.sync();
      },
    );
  try {
    const { models, result } = await run(gpu, data, config, {
      resumeFrom: checkpoint?.state,
      pretrained: weights?.pretrained,
      checkFinite,
      onStep(report) {
        metrics.add(report);
        progress.step(report);
      },
      onPhase: (phase) => PHASES[phase] && progress.line(PHASES[phase]),
      onWarning(text) {
        metrics.add({ warning: text });
        progress.line(`warning: ${text}`);
      },
      onClusters: (epoch, images, clouds) =>
        metrics.add({ stage: 'ssm', epoch, clusterSizes: { images, points: clouds } }), // `points` is the file's word
      onRelabel: (report) => metrics.add({ stage: 'rdl', ...report }),
      onFigures: (stage, figures) => metrics.add({ stage, ...figures }),
      onPseudoLabels(labels) {
        labelsWritten = writeWhole(join(out, 'pseudo-labels.csv'), pseudoLabelsCsv(data.train.pairs, labels));
        labelsWritten.catch(() => {}); // thrown by the next checkpoint, which awaits it
      },
      async onPosition(at) {
        if (stop.exitCode !== null || writer.isDue(at)) await save(at);
        if (stop.exitCode === null) return;
        await writer.settled();
        throw new Stopped(`stopped at ${placeOf(at)}`);
      },
    });
    await writer.settled();
    await labelsWritten;
    await saveModels(join(out, 'model.safetensors'), models, config);
    await metrics.sync();
    const total = Object.values(result.seconds).reduce((sum, seconds) => sum + seconds, 0);
    const seconds = { ...result.seconds, total };
    const written = { ...result, seconds, ...(weights ? { pretrained: weights.record } : {}) };
    await writeJson(join(out, 'result.json'), written);
    return written;
  } catch (error) {
    if (error instanceof Stopped) return error; // returned, not thrown: nothing waits for the report of a lost device
    throw error;
  } finally {
    // Pending writes finish before another attempt uses the folder.
    await Promise.allSettled([writer.settled(), labelsWritten]);
    metrics.close();
  }
}

/** Shown when a phase begins; the stages have progress bars. */
const PHASES: Partial<Record<Phase, string>> = {
  untrained: 'measuring the untrained networks and the k-means baseline',
  pseudoLabels: 'pseudo labels',
  figures: 'measuring',
};

const placeOf = ({ stage, epoch, step }: Omit<Position<RunState>, 'state'>): string =>
  `${stage}, ${epoch} epochs${step > 0 ? ` and ${step} steps` : ''} done`;

function show({ stages, seconds, pseudoLabelAccuracy }: WrittenResult, out: string): void {
  process.stdout.write(`${figuresTable(stages, { ssm: seconds.ssm, rdl: seconds.rdl })}\n`);
  if (pseudoLabelAccuracy) {
    const { images, points } = pseudoLabelAccuracy;
    process.stdout.write(`pseudo labels right: images ${images.toFixed(3)}, clouds ${points.toFixed(3)}\n`);
  }
  process.stdout.write(`${duration(seconds.total)} in all\n`);
  process.stdout.write(`written to ${out}\n`);
}
