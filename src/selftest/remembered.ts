/** The self-test of a use, once per adapter, driver and version: a good result is remembered, a refusal never. */
import { environment, recall, remember } from '#memo';
import type { Gpu } from '../tensor/device.ts';
import type { Outcome, Use } from './selftest.ts';

/** Set by the build: a hash of the kernels and of the self-test. */
declare const KERNELS: string;
const kernels = typeof KERNELS === 'string' ? KERNELS : 'unbuilt';

/** The same program on every machine, and tested by this project: tested here only if that is asked for. */
const SWIFTSHADER = /swiftshader/i;

const MOST = 30; // results that are remembered

/** Makes sure that the adapter computes what a use needs, by a self-test or by what is remembered of one. */
export function ensure(gpu: Gpu, use: Use): Promise<void> {
  const ofGpu = tests.get(gpu) ?? new Map<Use, Promise<void>>();
  tests.set(gpu, ofGpu);
  const test = ofGpu.get(use) ?? testOnce(gpu, use);
  ofGpu.set(use, test);
  return test;
}

/** The tests of each device, so that callers at the same time wait for the same one. */
const tests = new WeakMap<Gpu, Map<Use, Promise<void>>>();

async function testOnce(gpu: Gpu, use: Use): Promise<void> {
  const { adapterName, backend, options } = gpu;
  if (!options.selfTest && SWIFTSHADER.test(adapterName)) return;
  const key = [use, adapterName, backend.name, kernels, environment()].join(' | ');
  const known = await recall();
  let outcome: Outcome | undefined = known[key];
  if (!outcome) {
    const { selfTest } = await import('./selftest.ts');
    outcome = await selfTest(gpu, use);
    const rest = Object.entries(known).filter(([other]) => other !== key);
    await remember(Object.fromEntries([...rest, [key, outcome] as const].slice(-MOST)));
  } else if (outcome.notes.length > 0) await (await import('./selftest.ts')).replace(gpu, outcome.replaced);
  for (const note of outcome.notes) console.warn(note);
}
