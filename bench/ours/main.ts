/** Our side of the bench: each workload is a step recorded once and replayed with the same inputs. */
import type { Gpu } from '../../src/tensor/device.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { Replay } from '../../src/tensor/replay.ts';
import { countBuffers } from '../gpu.mjs';
import { hostMs, median } from '../measure.mjs';
import { networkStep } from './networks.ts';
import { opStep } from './ops.ts';
import { romoSteps } from './romo.ts';
import { searchRuns } from './search.ts';
import type { Spec, Step } from './step.ts';

const WARM_UPS = 2;
const RUNS = 7;
const ENOUGH_MS = 5000;

async function replayed(gpu: Gpu, step: Step) {
  const { replay, result: queued } = await Replay.record(gpu, () => {
    using _scope = gpu.scope();
    const made = step.queue();
    for (const tensor of [made.result, ...Object.values(made.outputs)]) tensor.keep();
    return made;
  });
  const { result, outputs } = queued;
  const first = result.window(0, 1).keep();
  const results: number[] = [];
  const run = async () => {
    replay.run();
    results.push(Number((await first.read())[0]));
  };
  return { replay, run, check: () => step.check(outputs, results) };
}

/** Measures steps without readback: time of the JavaScript thread, and allocations on the device. */
async function hostOf(gpu: Gpu, queue: () => void, counters: ReturnType<typeof countBuffers>) {
  for (let i = 0; i < WARM_UPS; i++) queue();
  await gpu.finish();
  const before = { ...counters };
  const begin = performance.now();
  const host: number[] = [];
  while (host.length < RUNS && performance.now() - begin < ENOUGH_MS) {
    const start = hostMs();
    queue();
    await gpu.submit();
    host.push(hostMs() - start);
    await gpu.finish();
  }
  return {
    hostMs: median(host),
    createdPerStep: (counters.created - before.created) / host.length,
    createdBytesPerStep: (counters.createdBytes - before.createdBytes) / host.length,
    groupsPerStep: (counters.groups - before.groups) / host.length,
  };
}

/** Runs a step without recording it: tensors from the pool, one bind group per launch. */
function eagerly(gpu: Gpu, step: Step): void {
  using _scope = gpu.scope();
  const { result, outputs } = step.queue();
  for (const tensor of new Set([result, ...Object.values(outputs)])) tensor.dispose();
}

export async function open({ adapter }: { adapter?: string }) {
  const gpu = await openDevice({ adapter });
  const counters = countBuffers(gpu.device);
  const about = { adapter: gpu.adapterName, software: gpu.software };
  async function prepare(spec: Spec) {
    if (spec.kind === 'romo') return romoSteps(gpu, spec, counters);
    if (spec.kind === 'search') return searchRuns(gpu, spec);
    const step = spec.network ? await networkStep(gpu, spec) : opStep(gpu, spec);
    const { replay, run, check } = await replayed(gpu, step);
    const figures = async () => ({
      ...(await hostOf(gpu, () => replay.run(), counters)),
      dispatches: replay.launches.length,
      eager: await hostOf(gpu, () => eagerly(gpu, step), counters),
    });
    return { run, check, figures };
  }
  return { about, prepare, counters: () => counters };
}
