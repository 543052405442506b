/**
 * Does this adapter compute what the kernels say? Drivers that do not, and report no error, are known for every vendor. Each family
 * of kernels runs once on small inputs, and its outputs are compared with those of the definitions.
 */
import { type Backend, type BackendName, loadBackend } from '../backends/backend.ts';
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { EXPECTED } from './expected.ts';
import { type Family, families, numberAt, type Outputs, type Use } from './families.ts';

export type { Use } from './families.ts';

/** A family whose outputs are wrong. */
export interface Fault {
  readonly family: Family;
  /** which output, and by how much */
  readonly what: string;
}

/** Relative to the size of the sum. A single wrong number changes it more, by far; rounding and fast `exp` less. */
const TOLERANCE = 1e-3;
const EXACT = 1e-6; // for indices; expected.ts has nine digits

/** The sum of all numbers, each times one of its own, and how large such a sum is. */
export function fingerprint(values: ArrayLike<number>): { sum: number; size: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const term = values[i] * numberAt(100, i);
    sum += term;
    squares += term * term;
  }
  return { sum, size: Math.sqrt(squares) };
}

function faultIn(family: Family, outputs: Outputs): Fault | null {
  for (const [i, [name, values]] of Object.entries(outputs).entries()) {
    const { sum, size } = fingerprint(values);
    const expected = EXPECTED[family.name]?.[i];
    const tolerance = values instanceof Int32Array ? EXACT : TOLERANCE;
    if (Math.abs(sum - expected) <= tolerance * size) continue; // not where one of them is NaN
    return { family, what: `${name}: the weighted sum is ${sum}, not ${expected}` };
  }
  return null;
}

/** The families whose outputs are wrong. */
export async function examine(gpu: Gpu, chosen: readonly Family[]): Promise<Fault[]> {
  const running = chosen.map((family) => {
    using _scope = gpu.scope(); // ends before anyone else may make tensors
    return family.run(gpu);
  });
  const outputs = await Promise.all(running);
  return chosen.flatMap((family, i) => faultIn(family, outputs[i]) ?? []);
}

/** Labels of the kernels that a family runs. */
export async function kernelsOf(gpu: Gpu, family: Family): Promise<string[]> {
  const labels = new Set<string>();
  const { queue } = gpu;
  const { launch } = queue;
  queue.launch = (one) => {
    labels.add(one.kernel.label);
    launch.call(queue, one);
  };
  try {
    await examine(gpu, [family]);
    return [...labels];
  } finally {
    queue.launch = launch;
  }
}

/** Which backends' kernels take the place of those of another one, plainer each time. */
const PLAINER: Readonly<Record<BackendName, readonly BackendName[]>> = {
  software: ['software-plain', 'reference'],
  'software-plain': ['reference'],
  gpu: ['reference'],
  reference: [],
};

/** What is used of plainer backends, by property of the backend, and what to tell people about it. */
export interface Outcome {
  readonly replaced: Readonly<Partial<Record<keyof Backend, BackendName>>>;
  readonly notes: readonly string[];
}

/** Uses properties of other backends. */
export async function replace(gpu: Gpu, replaced: Outcome['replaced']): Promise<void> {
  for (const [property, name] of Object.entries(replaced)) {
    const plainer = await loadBackend(name, gpu.device);
    gpu.backend = { ...gpu.backend, [property]: plainer[property as keyof Backend] };
  }
}

const REPORT =
  'Please report it with what the page check.html or `node dist/doctor.js` shows; a newer driver may help.';

/**
 * Examines the families of a use. Where one is wrong, the kernels of plainer backends take their place.
 * @throws RomoError `self-test` if those are wrong too
 */
export async function selfTest(gpu: Gpu, use: Use): Promise<Outcome> {
  const replaced: Record<string, BackendName> = {};
  const notes: string[] = [];
  for (const { family, what } of await examine(gpu, (await families())[use])) {
    if ((await examine(gpu, [family])).length === 0) continue; // a replacement before this one has helped
    const kernels = (await kernelsOf(gpu, family)).join(', ');
    const problem = `${family.name} (${kernels}) are computed wrongly on ${gpu.adapterName} (${what})`;
    const { backend } = gpu;
    let found: BackendName | undefined;
    for (const name of family.decidedBy.length > 0 ? PLAINER[backend.name] : []) {
      gpu.backend = backend;
      await replace(gpu, Object.fromEntries(family.decidedBy.map((property) => [property, name])));
      if ((await examine(gpu, [family])).length === 0) {
        found = name;
        break;
      }
    }
    if (!found) {
      const wayOut = 'openDevice({ selfTest: false }) uses the adapter all the same.';
      throw new RomoError('self-test', problem, `${REPORT} ${wayOut}`);
    }
    for (const property of family.decidedBy) replaced[property] = found;
    notes.push(`${problem}. The plainer kernels of the backend ${found} take their place. ${REPORT}`);
  }
  return { replaced, notes };
}
