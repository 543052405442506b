/** The full training step of a stage: augmentation, upload, recorded step, readback of the loss. */
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS, type PresetName } from '../../src/romo/config.ts';
import { trainRdl } from '../../src/romo/method/rdl.ts';
import { SsmModel, trainSsm } from '../../src/romo/method/ssm.ts';
import type { StepReport } from '../../src/romo/method/stage.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import { type countBuffers, countBusy } from '../gpu.mjs';
import { hashLabels } from '../inputs.mjs';
import { median } from '../measure.mjs';
import type { Spec } from './step.ts';

const STEPS_PER_EPOCH = 6;
const EPOCHS = 2;

export async function romoSteps(gpu: Gpu, { stage, preset }: Spec, counters: ReturnType<typeof countBuffers>) {
  const base = PRESETS[preset as PresetName];
  const config: Config = {
    ...base,
    train: STEPS_PER_EPOCH * base.batch,
    test: 10,
    ssm: { ...base.ssm, epochs: EPOCHS },
    rdl: { ...base.rdl, epochs: EPOCHS },
  };
  const data = trainingData(await openShapes(config));
  const device = countBusy(gpu.device);
  const at: { time: number; busy: number; created: number; bytes: number; step: number }[] = [];
  const losses: number[] = [];
  const onStep = ({ step, loss }: StepReport) => {
    at.push({
      time: performance.now(),
      busy: device.busyMs(),
      created: counters.created,
      bytes: counters.createdBytes,
      step,
    });
    losses.push(loss);
  };
  if (stage === 'ssm') await trainSsm(gpu, data, config, { onStep });
  else {
    const labels = hashLabels('labels', config.train, config.clusters);
    const warm = new SsmModel(gpu, config, data.pairs.imageShape[2]);
    await trainRdl(gpu, data, config, { images: labels, clouds: labels }, warm, { onStep });
  }
  // Differences between consecutive reports, without the first two (warm-up) and the first of an epoch (clustering).
  const pairs = at.slice(1).map((later, i) => ({ later, earlier: at[i] }));
  const steady = pairs.filter(({ earlier }) => earlier.step > 2 && earlier.step % STEPS_PER_EPOCH !== 0);
  const perStep = (field: 'time' | 'busy' | 'created' | 'bytes') =>
    steady.map(({ later, earlier }) => later[field] - earlier[field]);
  return {
    run: async () => {},
    times: { first: 0, times: perStep('time') },
    figures: async () => ({
      // The JavaScript thread's time is left out, since it also waits for the GPU between two steps.
      busyShare: sum(perStep('busy')) / sum(perStep('time')),
      createdPerStep: median(perStep('created')),
      createdBytesPerStep: median(perStep('bytes')),
    }),
    check: async () => ({ losses: losses.slice(0, 3) }),
  };
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
