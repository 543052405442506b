/** Opens the GPU, in Node and in the browser, and owns everything that is allocated on it. */
import { entry, memoryDefaults, selectsByName, whenDone } from '#webgpu';
import { type Backend, type BackendName, loadBackend } from '../backends/backend.ts';
import type { Use } from '../selftest/families.ts';
import { Budget, SMALLER } from './budget.ts';
import { RomoError } from './error.ts';
import { KernelCache } from './kernel.ts';
import { type MemoryCounters, Pool, Scope, USAGE } from './memory.ts';
import { Pace } from './pace.ts';
import { Profiler } from './profile.ts';
import { Queue } from './queue.ts';
import { LATE, within } from './recover.ts';
import { type DType, Tensor, type TensorData, toTyped } from './tensor.ts';

/** How a device is opened. */
export interface DeviceOptions {
  /** part of the adapter's name; only Node can choose, elsewhere another adapter is an error. Any adapter when absent */
  adapter?: string | undefined;
  /** which kernels run, see backends/backend.ts; default: `software` on software adapters, else `gpu` */
  backend?: BackendName | undefined;
  /** `largest` requests the adapter's limits, `default` WebGPU's guaranteed minimum */
  limits?: 'largest' | 'default';
  /** bytes of freed buffers that the pool keeps for reuse; default: a quarter of the machine's memory, at most 4 GiB */
  poolBytes?: number;
  /** bytes that all buffers may take together, pooled ones included; default: no cap, 1 GiB on a phone */
  memoryBytes?: number | undefined;
  /**
   * Whether kernels are tested once per adapter and version, see selftest/; default true, but for SwiftShader, which is the
   * same everywhere and which this project's tests cover.
   */
  selfTest?: boolean;
  /** time every launch; needs the adapter's `timestamp-query` */
  profile?: boolean;
}

/** What tensor/ knows of a tape; autograd/tape.ts has the rest, and is not imported from below. */
export interface Recorder {
  readonly recording: boolean;
}

/** A GPU: its queue of work, its kernels and its memory. Open with `openDevice`, end with `close`. */
export class Gpu {
  readonly kernels: KernelCache;
  readonly queue: Queue;
  readonly profiler: Profiler | null;
  /** how much is submitted at once */
  pace = new Pace();
  /** the pool that tensors come from; a recorded step swaps in its own */
  pool: Pool;
  /** larger tensors are processed in windows; see launch.ts */
  bindableBytes: number;
  /** the tape that ops write to, or null when gradients are not wanted */
  tape: Recorder | null = null;
  readonly budget: Budget;
  /** resolves when the GPU has answered all large allocations so far */
  granted: Promise<unknown> = Promise.resolve();
  private readonly scopes: Scope[] = [];
  private failure: RomoError | null = null;
  private closed = false;

  constructor(
    // The device does not keep Dawn's entry point alive, and must not outlive it.
    readonly entryPoint: GPU,
    readonly device: GPUDevice,
    readonly adapterName: string,
    /** Is it a software adapter: WebGPU on the CPU, such as lavapipe and SwiftShader? */
    readonly software: boolean,
    /** which kernels run; see backends/backend.ts */
    public backend: Backend,
    readonly options: DeviceOptions,
  ) {
    const { most, pool } = memoryDefaults();
    this.budget = new Budget(options.memoryBytes ?? most);
    this.pool = this.newPool(options.poolBytes ?? pool);
    this.bindableBytes = device.limits.maxStorageBufferBindingSize;
    this.kernels = new KernelCache(device);
    this.profiler = options.profile ? new Profiler(device) : null;
    this.queue = new Queue(this);
    device.addEventListener('uncapturederror', (event) => {
      this.failure ??= new RomoError('gpu', `the GPU refused a command: ${event.error.message}`, '');
    });
    void device.lost.then((info) => {
      if (this.closed) return;
      Pace.lost();
      const problem = `the GPU was lost (${info.reason}): ${info.message}`;
      const fix = 'Open the device again and resume from the last checkpoint.';
      this.failure ??= new RomoError('device-lost', problem, fix);
    });
  }

  /** A pool for tensors on this GPU; `cap` is the number of bytes of freed buffers that it keeps. */
  newPool(cap: number): Pool {
    return new Pool((...asked) => this.createBuffer(...asked), this.device.limits.maxBufferSize, this.budget, cap);
  }

  private createBuffer(size: number, shape: readonly number[]): GPUBuffer {
    const { device, budget } = this;
    const isLarge = size >= LARGE;
    if (isLarge) device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ size, usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget });
    if (!isLarge) return buffer;
    const used = budget.used - size;
    const answer = device.popErrorScope().then(
      (error) => {
        if (!error) return;
        // Set first, so that it takes precedence over the validation errors of commands that use the missing buffer.
        const problem = `the GPU has no memory for a tensor [${shape}] of ${size} bytes in addition to ${used} in use`;
        if (this.failure?.code !== 'device-lost') this.failure = new RomoError('memory', problem, SMALLER);
        budget.limit = Math.min(budget.limit, used);
      },
      () => {}, // a lost device is reported by `device.lost`
    );
    this.granted = Promise.all([this.granted, answer]);
    return buffer;
  }

  /** Throws what the device reported since the last call: a lost device, a refused command. */
  check(): void {
    if (this.closed) throw new RomoError('closed', 'this GPU was closed', 'Open it again with openDevice().');
    if (this.failure) throw this.failure;
  }

  /** A new tensor from numbers. Plain arrays become f32 unless `dtype` says otherwise. */
  tensor(data: TensorData, shape: readonly number[], dtype?: DType): Tensor {
    const values = toTyped(data, shape, dtype);
    const type = values instanceof Int32Array ? 'i32' : values instanceof Uint32Array ? 'u32' : 'f32';
    const tensor = this.empty(shape, type);
    tensor.write(values);
    return tensor;
  }

  /** A new tensor whose contents are not set; for kernels that write every element. */
  empty(shape: readonly number[], dtype: DType = 'f32'): Tensor {
    return Tensor.allocate(this, shape, dtype);
  }

  /** A new tensor of zeros. */
  zeros(shape: readonly number[], dtype: DType = 'f32'): Tensor {
    const tensor = this.empty(shape, dtype);
    this.queue.clear(tensor.storage.buffer);
    return tensor;
  }

  /** Opens a scope: tensors made until it ends are freed with it. `using scope = gpu.scope()`, or call `end()`. */
  scope(): Scope {
    const scope = new Scope(this.scopes);
    this.scopes.push(scope);
    return scope;
  }

  get currentScope(): Scope | undefined {
    return this.scopes[this.scopes.length - 1];
  }

  /** Tests the kernels that a use needs, once per adapter and version. @throws RomoError `self-test` for wrong numbers */
  async tested(use: Use): Promise<void> {
    if (this.options.selfTest !== false) await (await import('../selftest/remembered.ts')).ensure(this, use);
  }

  /** Sends the queued work to the GPU. */
  async submit(): Promise<void> {
    this.check();
    const retired = this.pool.takeRetired();
    await this.queue.flush();
    for (const buffer of retired) buffer.destroy();
    this.check();
  }

  /** Resolves when the GPU has finished all work submitted so far. */
  async finish(): Promise<void> {
    await this.submit();
    const done = this.pace.wait();
    await whenDone(this.device.queue.onSubmittedWorkDone());
    done();
    this.check();
  }

  /** Counters of the pool that tensors come from. */
  memory(): MemoryCounters {
    return this.pool.counters();
  }

  /** Frees everything; Node can exit afterwards. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.device.destroy();
  }
}

const LARGE = 2 ** 24; // bytes from which an allocation is checked for failure

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render/i;

/** An adapter's name and kind, from its self-description; in Deno some parts are mere numbers. */
function describeAdapter(info: GPUAdapterInfo): { name: string; software: boolean } {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter(
    (part) => part && !/^\d+$/.test(part),
  );
  const name = [...new Set(parts)].join(' ') || 'unnamed adapter';
  return { name, software: info.isFallbackAdapter === true || SOFTWARE.test(name) };
}

/** How long the system may take to answer, in ms: a driver that hangs never does. */
const PATIENCE = 30_000;

async function answered<T>(what: string, request: Promise<T>): Promise<T> {
  const answer = await within(PATIENCE, request);
  if (answer !== LATE) return answer;
  const problem = `the system has not answered the request for ${what} for ${PATIENCE / 1000} s`;
  throw new RomoError(
    'no-adapter',
    problem,
    'Restart the browser or the machine; if that does not help, update the driver.',
  );
}

const OPTIONAL_FEATURES: GPUFeatureName[] = ['timestamp-query', 'subgroups' as GPUFeatureName];

/**
 * Opens the GPU with the largest limits that it gives. Call `close()` at the end: while a device is open, Node does not
 * exit. Throws `no-adapter` if there is none or none answers, `option` for an unknown backend, `self-test` for a driver that computes wrong numbers.
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Gpu> {
  const entryPoint = entry(options.adapter);
  let refusal = '';
  const request = entryPoint?.requestAdapter({ powerPreference: 'high-performance' }).catch((error: Error) => {
    refusal = `: ${error.message}`; // Dawn rejects and lists the adapters; a browser returns null
    return null;
  });
  const adapter = request && (await answered('an adapter', request));
  const found = adapter && describeAdapter(adapter.info);
  const isWanted = found && (selectsByName || found.name.includes(options.adapter ?? ''));
  if (!entryPoint || !adapter || !isWanted) {
    if (found) refusal = `: the only one here is ${found.name}`;
    throw new RomoError(
      'no-adapter',
      (options.adapter ? `no WebGPU adapter is called "${options.adapter}"` : 'no WebGPU adapter was found') + refusal,
      'Run `node dist/doctor.js`: it lists the adapters and what to install where there is none.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  if (options.limits !== 'default') {
    for (const key in adapter.limits) {
      const value = adapter.limits[key as keyof GPUSupportedLimits];
      if (typeof value === 'number') requiredLimits[key] = value;
    }
  }
  const requiredFeatures = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature));
  const device = await answered('a device', adapter.requestDevice({ requiredLimits, requiredFeatures }));
  const backend = await loadBackend(options.backend ?? (found.software ? 'software' : 'gpu'), device);
  const gpu = new Gpu(entryPoint, device, found.name, found.software, backend, options);
  try {
    await gpu.tested('embedding');
    return gpu;
  } catch (error) {
    gpu.close();
    throw error;
  }
}
