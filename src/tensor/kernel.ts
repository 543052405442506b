/**
 * Kernels: WGSL entry points that are launched by name.
 *
 * The names of the bindings and of the fields of the uniform `Sizes` struct are read from the WGSL source. A
 * launch says `{ x, weight, out }, { rows: 5 }`, and a misspelt or missing name is an error, not a wrong number.
 */
import { RomoError } from './error.ts';
import numbering from './launch.wgsl';
import { USAGE } from './memory.ts';
import type { DType, Tensor } from './tensor.ts';

/** Default invocations per workgroup; workgroups are one-dimensional. */
const WORKGROUP = 64;

export interface Binding {
  readonly index: number;
  readonly type: GPUBufferBindingType;
  /** dtype of the tensors that may be bound here */
  readonly dtype: DType;
}

export interface Field {
  readonly name: string;
  readonly type: DType;
}

export interface Program {
  readonly name: string;
  readonly source: string;
  readonly bindings: ReadonlyMap<string, Binding>;
  readonly fields: readonly Field[];
  /** the fields of type `Values`, which the wide reading divides by 4 */
  readonly counts: readonly string[];
  /** binding index of the uniform `sizes` */
  readonly uniform: number;
  /** can a launch be cut into dispatches, because launch.wgsl numbers its workgroups? */
  readonly isDivisible: boolean;
}

export interface Kernel {
  readonly program: Program;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
  /** invocations per workgroup */
  readonly workgroup: number;
  readonly label: string;
  /** the same entry point, four numbers per invocation; see `kernelPair` */
  readonly wide?: Kernel;
}

/** One run of a kernel. */
export interface Launch {
  readonly kernel: Kernel;
  readonly bindings: Readonly<Record<string, Tensor>>;
  readonly sizes: Readonly<Record<string, number>>;
  /** how many invocations are needed; rounded up to whole workgroups */
  readonly invocations: number;
  /** operations, roughly; see pace.ts */
  readonly work: number;
}

const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<(storage|uniform)(?:,\s*(read_write|read))?>\s*(\w+)\s*:\s*([^;]+);/g;

/** The body of a struct of the WGSL file, or undefined. */
const structBody = (source: string, name: string): string | undefined =>
  new RegExp(`struct\\s+${name}\\s*\\{([^}]*)\\}`).exec(source)?.[1];

/** The dtype of a WGSL type such as `array<vec4f>`, `array<atomic<u32>>` or a struct whose fields have one type. */
function dtypeOf(wgslType: string, source: string, where: string): DType {
  const element = /^(?:array<(?:atomic<)?)?(\w+)/.exec(wgslType.trim())?.[1] ?? '';
  if (element === 'Value') return 'f32';
  if (element === 'Index') return 'u32';
  const scalar = /^(?:vec[234])?(f32|i32|u32|f|i|u)$/.exec(element)?.[1];
  if (scalar) return scalar.startsWith('f') ? 'f32' : scalar.startsWith('i') ? 'i32' : 'u32';
  const first = /:\s*(\w+)/.exec(structBody(source, element) ?? '')?.[1];
  if (!first) throw new RomoError('kernel', `${where}: the type ${wgslType} is not understood`, 'Use f32, i32 or u32.');
  return dtypeOf(first, source, where);
}

/** Reads the bindings and the fields of the uniform from a WGSL file. */
export function program(name: string, source: string): Program {
  const bindings = new Map<string, Binding>();
  let fields: Field[] = [];
  let counts: string[] = [];
  let uniform = -1;
  for (const [, index, space, access, variable, wgslType] of source.matchAll(BINDING)) {
    if (space === 'uniform') {
      uniform = Number(index);
      const body = structBody(source, wgslType.trim()) ?? '';
      const declared = [...body.matchAll(/(\w+)\s*:\s*(u32|i32|f32|Values)/g)];
      fields = declared.map(([, field, type]) => ({ name: field, type: type === 'Values' ? 'u32' : (type as DType) }));
      counts = declared.filter(([, , type]) => type === 'Values').map(([, field]) => field);
    } else {
      const type = access === 'read_write' ? 'storage' : 'read-only-storage';
      bindings.set(variable, { index: Number(index), type, dtype: dtypeOf(wgslType, source, `${name}: ${variable}`) });
    }
  }
  return { name, source, bindings, fields, counts, uniform, isDivisible: /\b(groupOf|indexOf)\(/.test(source) };
}

/** The WGSL that is compiled: the program's, and the numbering that it may call. */
export const codeOf = ({ source, isDivisible }: Program) => (isDivisible ? `${source}\n${numbering}` : source);

/** Names one entry point of a program, with its `override` constants. */
export function kernel(
  of: Program,
  entryPoint: string,
  constants: Record<string, number> = {},
  workgroup = WORKGROUP,
): Kernel {
  const values = Object.entries(constants).map(([key, value]) => `${key}=${value}`);
  return { program: of, entryPoint, constants, workgroup, label: [`${of.name}.${entryPoint}`, ...values].join(' ') };
}

const widePrograms = new Map<Program, Program>();

/**
 * An entry point that reads `Value` (and `Index`) where it means one number, in both readings: with `alias Value = f32`
 * as written, and with the alias replaced by vec4f. Sizes of type `Values` count Values; callers pass plain counts, and
 * `launch` divides them by 4 when it chooses the wide reading.
 */
export function kernelPair(of: Program, entryPoint: string, constants: Record<string, number> = {}): Kernel {
  let wide = widePrograms.get(of);
  if (!wide) {
    const source = of.source
      .replace(/(alias Value\s*=\s*)f32/, '$1vec4f')
      .replace(/(alias Index\s*=\s*)u32/, '$1vec4u');
    // Without the alias the kernel would run and compute a quarter of the numbers.
    if (source === of.source)
      throw new RomoError('kernel', `${of.name} has no alias Value = f32`, 'Add it to the file.');
    wide = program(`${of.name} x4`, source);
    widePrograms.set(of, wide);
  }
  return { ...kernel(of, entryPoint, constants), wide: kernel(wide, entryPoint, constants) };
}

const COMPUTE = 4; // GPUShaderStage.COMPUTE; Node has no such global

export interface CompiledKernel {
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: Promise<GPUComputePipeline>;
  /** names of the bindings that the entry point uses, as its first launch gave them */
  readonly names: ReadonlySet<string>;
}

/** Compiles each kernel once, in the background; the queue waits for its pipelines when it is flushed. */
export class KernelCache {
  private readonly modules = new Map<Program, GPUShaderModule>();
  private readonly compiled = new Map<Kernel, CompiledKernel>();
  private readonly dispatches: GPUBindGroup[] = [];
  private readonly dispatchLayout: GPUBindGroupLayout;

  constructor(private readonly device: GPUDevice) {
    this.dispatchLayout = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: COMPUTE, buffer: {} }] });
  }

  /** Group 1 of launch.wgsl, for dispatch `number` of any launch. */
  dispatchGroup(number: number): GPUBindGroup {
    let group = this.dispatches[number];
    if (!group) {
      const { device, dispatchLayout: layout } = this;
      const buffer = device.createBuffer({ size: 16, usage: USAGE.uniform | USAGE.copyTarget });
      device.queue.writeBuffer(buffer, 0, Uint32Array.of(number));
      group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
      this.dispatches[number] = group;
    }
    return group;
  }

  get(launch: Launch): CompiledKernel {
    const { kernel: wanted } = launch;
    const names = Object.keys(launch.bindings);
    const found = this.compiled.get(wanted);
    if (found) {
      if (names.length === found.names.size && names.every((name) => found.names.has(name))) return found;
      const problem = `${wanted.label}: its bindings are ${[...found.names]}, not ${names}`;
      throw new RomoError('kernel', problem, 'Pass the same bindings in every launch.');
    }
    const entries: GPUBindGroupLayoutEntry[] = names.map((name) => {
      const { index, type } = wanted.program.bindings.get(name) as Binding; // names are checked by the queue
      return { binding: index, visibility: COMPUTE, buffer: { type } };
    });
    if (wanted.program.uniform >= 0) {
      entries.push({ binding: wanted.program.uniform, visibility: COMPUTE, buffer: { type: 'uniform' } });
    }
    const layout = this.device.createBindGroupLayout({ label: wanted.label, entries });
    const pipeline = this.compile(wanted, layout);
    pipeline.catch(() => {}); // the queue awaits it too and reports the error
    const result = { layout, pipeline, names: new Set(names) };
    this.compiled.set(wanted, result);
    return result;
  }

  private async compile(wanted: Kernel, layout: GPUBindGroupLayout): Promise<GPUComputePipeline> {
    const { program: of, entryPoint, constants, label } = wanted;
    let module = this.modules.get(of);
    if (!module) {
      this.device.pushErrorScope('validation'); // the pipeline fails too, and is waited for
      module = this.device.createShaderModule({ label: of.name, code: codeOf(of) });
      this.device.popErrorScope().catch(() => {});
      this.modules.set(of, module);
    }
    try {
      return await this.device.createComputePipelineAsync({
        label,
        layout: this.device.createPipelineLayout({
          bindGroupLayouts: [layout, ...(of.isDivisible ? [this.dispatchLayout] : [])],
        }),
        compute: { module, entryPoint, constants: { ...constants } },
      });
    } catch (cause) {
      const info = await module.getCompilationInfo?.(); // missing in older versions of Deno
      const notes = (info?.messages ?? []).map(({ lineNum, message }) => `line ${lineNum}: ${message.trim()}`);
      const lines = of.source.split('\n').map((line, index) => `${String(index + 1).padStart(4)}  ${line}`);
      const listing = notes.length > 0 ? `\n${notes.join('\n')}\n${lines.join('\n')}` : '';
      throw new RomoError('kernel', `${label} does not compile: ${(cause as Error).message}${listing}`, '');
    }
  }
}
