/** The adapter's upper limits: arithmetic in registers, loads from each kind of memory, copies, subgroup broadcasts. */

import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { type Kernel, kernel, type Program, program } from '../../src/tensor/kernel.ts';
import { launch } from '../../src/tensor/launch.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import arithmeticSource from '../ceilings_arithmetic.wgsl';
import loadsSource from '../ceilings_loads.wgsl';
import memorySource from '../ceilings_memory.wgsl';
import subgroupSource from '../ceilings_subgroups.wgsl';
import { hashUniform } from '../inputs.mjs';
import { median } from '../measure.mjs';

const RUNS = 9;
const STEPS = 1024;

interface Probe {
  what: string;
  unit: 'GFLOP/s' | 'G values/s' | 'GB/s';
  kernel: Kernel;
  bindings: Record<string, Tensor>;
  invocations: number;
  /** operations, values or bytes of one launch */
  amount: number;
}

/** Times one launch; the latency of an empty queue is a small part of it. */
async function time(gpu: Gpu, { kernel: probed, bindings, invocations }: Probe): Promise<number> {
  launch(probed, bindings, {}, { invocations });
  const start = performance.now();
  await gpu.finish();
  return performance.now() - start;
}

async function run(gpu: Gpu, probe: Probe) {
  const times: number[] = [];
  for (let i = 0; i < RUNS + 2; i++) {
    const ms = await time(gpu, probe);
    if (i >= 2) times.push(ms);
  }
  const rate = (ms: number) => probe.amount / ms / 1e6;
  return { what: probe.what, unit: probe.unit, median: rate(median(times)), best: rate(Math.min(...times)) };
}

function probes(gpu: Gpu): Probe[] {
  const invocations = gpu.software ? 2 ** 14 : 2 ** 23;
  const work = STEPS * invocations;
  const out = gpu.empty([invocations]);
  const scalars = gpu.tensor(hashUniform('scalars', [4096]), [4096]);
  const arithmetic = program('ceilings_arithmetic', arithmeticSource);
  const loads = program('ceilings_loads', loadsSource);
  const of = (source: Program, name: string, bindings: Record<string, Tensor>) => ({
    kernel: kernel(source, name, { STEPS }),
    bindings: { out, ...bindings },
    invocations,
    unit: 'G values/s' as const,
    amount: 4 * work,
  });
  const flops = (amount: number) => ({ unit: 'GFLOP/s' as const, amount });
  const vectors = scalars;
  const list: Probe[] = [
    { ...of(arithmetic, 'fmaScalar', {}), ...flops(8 * work), what: 'fused multiply-add, 4 f32' },
    { ...of(arithmetic, 'fmaVec4', {}), ...flops(32 * work), what: 'fused multiply-add, 4 vec4f' },
    { ...of(arithmetic, 'multiplyAddVec4', {}), ...flops(32 * work), what: 'multiply and add, 4 vec4f' },
    { ...of(loads, 'storageScalar', { scalars }), what: 'storage loads, f32' },
    { ...of(loads, 'storageVec4', { vectors }), what: 'storage loads, vec4f' },
    { ...of(loads, 'storageSame', { vectors }), what: 'storage loads, vec4f, one address for all' },
    { ...of(loads, 'workgroupVec4', { vectors }), what: 'workgroup memory loads, vec4f' },
  ];
  if (gpu.device.features.has('subgroups' as GPUFeatureName)) {
    const subgroups = program('ceilings_subgroups', subgroupSource);
    list.push({
      ...of(subgroups, 'broadcast', { scalars }),
      what: 'subgroup broadcast, f32 (and a quarter of a load)',
    });
    list.push({ ...of(subgroups, 'shuffle', {}), what: 'subgroup shuffle, f32' });
  }
  const bytes = Math.min(gpu.software ? 2 ** 26 : 2 ** 28, gpu.device.limits.maxStorageBufferBindingSize);
  const [source4, target4] = [gpu.zeros([bytes / 4]), gpu.empty([bytes / 4])];
  const copy = kernel(program('ceilings_memory', memorySource), 'copyVec4');
  const copied = { bindings: { target4, source4 }, invocations: bytes / 16, amount: 2 * bytes };
  list.push({ what: `copy of ${bytes / 2 ** 20} MiB, read and written`, unit: 'GB/s', kernel: copy, ...copied });
  return list;
}

/** The same interface as the other implementations. The worker requests `about`, so `open` measures. */
export async function open({ adapter }: { adapter?: string }) {
  const gpu = await openDevice({ adapter });
  const ceilings: Awaited<ReturnType<typeof run>>[] = [];
  for (const probe of probes(gpu)) ceilings.push(await run(gpu, probe));
  return { about: { ceilings } };
}
