/** Compiles every kernel of the project as the product does; in Node, in Deno and in pages. */
import { codeOf, type Kernel, kernel, kernelPair, program } from '../../src/tensor/kernel.ts';
import { type Code, callers, parse } from './wgsl_code.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The values that the product gives to each `override` constant. */
const VALUES: Readonly<Record<string, readonly number[]>> = {
  OP: upTo(13), // pointwise.ts: UNARY, and one more
  LANES: [1, 64],
  WEIGHTED: [0, 1],
  MASKED: [0, 1],
  READS: upTo(3),
  RESIDUAL: [0, 1],
  CHUNKS: upTo(16).map((i) => i + 1),
};

/** The constants with which an entry point is compiled: each value of each that it reads, the others at their defaults. */
function settings(entry: string, code: Code): Record<string, number>[] {
  const read = [...code.overrides].filter((name) => callers(code, [name]).has(entry));
  const each = read.flatMap((name) => {
    if (!VALUES[name]) throw new Error(`${name}: name its values in test/support/compile.ts`);
    return VALUES[name].map((value) => ({ [name]: value }));
  });
  return each.length > 0 ? each : [{}];
}

function kernelsOf(path: string, source: string): Kernel[] {
  const code = parse(source);
  const of = program(path, source);
  const entries = [...code.text.matchAll(/@compute\b[^{};]*?\bfn\s+(\w+)/g)].map(([, name]) => name);
  return entries.flatMap((entry) =>
    settings(entry, code).flatMap((constants) => {
      if (!/\balias Value\b/.test(code.text)) return [kernel(of, entry, constants)];
      const pair = kernelPair(of, entry, constants);
      return pair.wide ? [pair, pair.wide] : [pair];
    }),
  );
}

/** What became of the kernels: how many compiled, the errors of the others, and files that the device cannot take at all. */
export interface Compiled {
  readonly count: number;
  readonly errors: readonly string[];
  /** files with an `enable` that the device lacks */
  readonly left: readonly string[];
}

/** @param shaders sources by path */
export async function compileAll(device: GPUDevice, shaders: Readonly<Record<string, string>>): Promise<Compiled> {
  const needed = (source: string) => /^enable (\w+);/m.exec(source)?.[1] as GPUFeatureName | undefined;
  const lacks = (feature?: GPUFeatureName) => feature !== undefined && !device.features.has(feature);
  const left = Object.keys(shaders).filter((path) => lacks(needed(shaders[path])));
  const taken = Object.entries(shaders).filter(([path]) => !left.includes(path));
  const kernels = taken.flatMap(([path, source]) => kernelsOf(path, source));
  device.pushErrorScope('validation'); // else each error would be printed, and stop the device's owner
  const modules = new Map(kernels.map(({ program: of }) => [of, device.createShaderModule({ code: codeOf(of) })]));
  const results = await Promise.allSettled(
    kernels.map(({ program: of, entryPoint, constants }) => {
      const module = modules.get(of) as GPUShaderModule;
      return device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint, constants } });
    }),
  );
  await device.popErrorScope();
  const errors = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`${kernels[i].label}: ${(result.reason as Error).message}`] : [],
  );
  return { count: kernels.length - errors.length, errors, left };
}
