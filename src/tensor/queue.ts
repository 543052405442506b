/**
 * The queue between ops and the GPU. Ops append launches; `flush` encodes them in order, as one compute pass and one
 * submit unless an upload or a copy comes between. A recorded list of launches can be run again: see replay.ts.
 */
import { whenDone } from '#webgpu';
import type { Gpu } from './device.ts';
import { RomoError } from './error.ts';
import type { Launch } from './kernel.ts';
import { USAGE } from './memory.ts';
import { isLost } from './recover.ts';
import type { TypedArray } from './tensor.ts';

/** A launch with its pipeline and bind group: nothing about it changes from run to run. */
export interface PreparedLaunch {
  readonly launch: Launch;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** workgroups */
  readonly groups: number;
}

export type Command =
  | { readonly kind: 'launch'; readonly launch: Launch }
  | { readonly kind: 'replay'; readonly prepared: readonly (PreparedLaunch | GPUBuffer)[] }
  | { readonly kind: 'clear'; readonly buffer: GPUBuffer }
  | { readonly kind: 'write'; readonly buffer: GPUBuffer; readonly offset: number; readonly data: TypedArray }
  | {
      readonly kind: 'copy';
      readonly source: GPUBuffer;
      readonly offset: number;
      readonly target: GPUBuffer;
      readonly bytes: number;
    };

const KEPT_READ = 65_536; // bytes of a staging buffer that is kept for the next read

export class Queue {
  private commands: Command[] = [];
  private recording = false;
  private tail: Promise<void> = Promise.resolve();
  private uniforms: GPUBuffer | null = null;
  private readonly readers: GPUBuffer[] = []; // kept, not in use

  constructor(private readonly gpu: Gpu) {}

  launch(launch: Launch): void {
    checkLaunch(launch, this.gpu.device.limits);
    this.gpu.kernels.get(launch); // its compilation begins
    this.commands.push({ kind: 'launch', launch });
  }

  /** Queues prepared launches, and buffers to clear, in order. */
  replay(prepared: readonly (PreparedLaunch | GPUBuffer)[]): void {
    this.commands.push({ kind: 'replay', prepared });
  }

  clear(buffer: GPUBuffer): void {
    this.commands.push({ kind: 'clear', buffer });
  }

  write(buffer: GPUBuffer, offset: number, data: TypedArray): void {
    this.refuseRecording('an upload', 'Write to the tensor before run().');
    this.commands.push({ kind: 'write', buffer, offset, data: data.slice() });
  }

  /** Reading would submit what is recorded so far; an upload would be replayed with old numbers. */
  private refuseRecording(what: string, fix: string): void {
    if (this.recording) throw new RomoError('replay', `${what} cannot be part of a recorded step`, fix);
  }

  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    this.refuseRecording('a readback', 'Read the tensor after run().');
    const target = this.reader(bytes);
    this.commands.push({ kind: 'copy', source: buffer, offset, target, bytes });
    await this.gpu.submit();
    const done = this.gpu.pace.wait();
    // GPUMapMode.READ has the same value. A loss may be reported later than the errors that it causes.
    await whenDone(target.mapAsync(USAGE.mapRead, 0, bytes)).catch(async (cause) => {
      if (await isLost(this.gpu, cause)) this.gpu.check();
      throw cause;
    });
    done();
    const copy = target.getMappedRange(0, bytes).slice(0);
    target.unmap();
    if (target.size === KEPT_READ) this.readers.push(target);
    else target.destroy();
    this.gpu.check();
    return copy;
  }

  /** Staging buffer for readback; small ones are kept, so that reading a step's loss allocates nothing. */
  private reader(bytes: number): GPUBuffer {
    const kept = bytes <= KEPT_READ ? this.readers.pop() : undefined;
    const usage = USAGE.mapRead | USAGE.copyTarget;
    return kept ?? this.gpu.device.createBuffer({ size: Math.max(bytes, KEPT_READ), usage });
  }

  /** Runs `body` and returns what it queued, without queueing it. While `recording`, uploads are refused. */
  capture(body: () => void, recording = true): Command[] {
    const outer = this.commands;
    this.commands = [];
    this.recording = recording;
    try {
      body();
      return this.commands;
    } finally {
      this.commands = outer;
      this.recording = false;
    }
  }

  flush(): Promise<void> {
    const commands = this.commands;
    this.commands = [];
    const run = this.tail.then(() => this.execute(commands));
    this.tail = run.catch(() => {}); // the caller sees the error; later work is not blocked by it
    return run;
  }

  private async execute(commands: readonly Command[]): Promise<void> {
    const launches = commands.flatMap((command) => (command.kind === 'launch' ? [command.launch] : []));
    const needed = uniformBytes(this.gpu, launches);
    if (!this.uniforms || this.uniforms.size < needed) {
      this.uniforms?.destroy(); // once the launches that read it are done
      this.uniforms = this.gpu.device.createBuffer({
        size: Math.max(needed, 65536),
        usage: USAGE.uniform | USAGE.copyTarget,
      });
    }
    const prepared = (await prepare(this.gpu, launches, this.uniforms)).values();
    const encoder = new Encoder(this.gpu);
    for (const command of commands) {
      if (command.kind === 'launch') encoder.launch(prepared.next().value as PreparedLaunch);
      else if (command.kind === 'replay') encoder.all(command.prepared);
      else if (command.kind === 'clear') encoder.clear(command.buffer);
      else if (command.kind === 'copy') encoder.copy(command.source, command.offset, command.target, command.bytes);
      else encoder.write(command.buffer, command.offset, command.data);
    }
    encoder.submit();
  }
}

/** Opens command encoders and passes as needed, keeps the order of uploads and launches and cuts what takes long. */
class Encoder {
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  private dispatch = -1; // whose number is set in the pass
  private work = 0; // operations since the last submit
  constructor(private readonly gpu: Gpu) {}

  private open(): GPUCommandEncoder {
    this.encoder ??= this.gpu.device.createCommandEncoder();
    return this.encoder;
  }

  private outsidePass(): GPUCommandEncoder {
    this.pass?.end();
    this.pass = null;
    this.dispatch = -1;
    return this.open();
  }

  launch({ launch: { kernel, work }, pipeline, group, groups }: PreparedLaunch): void {
    const { pace, kernels, profiler, device } = this.gpu;
    const count = kernel.program.isDivisible ? Math.min(groups, Math.ceil(work / pace.dispatchWork)) : 1;
    // A grid of more than 65,535 workgroups is folded into rows.
    const x = Math.min(Math.ceil(groups / count), device.limits.maxComputeWorkgroupsPerDimension);
    const y = Math.ceil(groups / count / x);
    for (let dispatch = 0; dispatch < count; dispatch++) {
      if (this.work > 0 && this.work + work / count > pace.submitWork) this.submit();
      this.work += work / count;
      const timestampWrites = profiler?.next(kernel.label);
      if (timestampWrites) this.outsidePass();
      this.pass ??= this.open().beginComputePass(timestampWrites ? { timestampWrites } : undefined);
      this.pass.setPipeline(pipeline);
      this.pass.setBindGroup(0, group);
      if (dispatch !== this.dispatch) this.pass.setBindGroup(1, kernels.dispatchGroup(dispatch));
      this.dispatch = dispatch;
      this.pass.dispatchWorkgroups(x, y);
    }
  }

  all(prepared: readonly (PreparedLaunch | GPUBuffer)[]): void {
    for (const item of prepared) {
      if ('pipeline' in item) this.launch(item);
      else this.clear(item);
    }
  }

  clear(buffer: GPUBuffer): void {
    this.outsidePass().clearBuffer(buffer);
  }

  copy(source: GPUBuffer, offset: number, target: GPUBuffer, bytes: number): void {
    this.outsidePass().copyBufferToBuffer(source, offset, target, 0, bytes);
  }

  write(buffer: GPUBuffer, offset: number, data: TypedArray): void {
    this.submit();
    this.gpu.device.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource);
  }

  submit(): void {
    if (!this.encoder) return;
    this.outsidePass();
    this.gpu.profiler?.resolve(this.encoder);
    this.gpu.pace.submit(this.work);
    this.gpu.device.queue.submit([this.encoder.finish()]);
    this.encoder = null;
    this.work = 0;
  }
}

/** Refuses launches that would compute something wrong: by sizes, names, dtypes, and tensors that are freed or too large. */
function checkLaunch({ kernel, bindings, sizes, work }: Launch, limits: GPUSupportedLimits): void {
  const { program, label } = kernel;
  const fault = (code: string, problem: string, fix: string) => new RomoError(code, `${label}: ${problem}`, fix);
  const fields = program.fields.map(({ name }) => name);
  const missing = fields.find((name) => !(name in sizes));
  if (missing) throw fault('kernel', `the size ${missing} is missing`, `Pass ${fields.join(', ')}.`);
  if (Object.keys(sizes).length !== fields.length) {
    throw fault('kernel', `sizes are ${Object.keys(sizes)}, the kernel takes ${fields}`, 'Leave the others out.');
  }
  if (!(work > 0)) throw fault('kernel', `work is ${work}`, 'Pass a count.');
  for (const [name, tensor] of Object.entries(bindings)) {
    const binding = program.bindings.get(name);
    const what = `${name} [${tensor.shape}]`;
    if (!binding) {
      throw fault('kernel', `no binding is called ${name}`, `There are ${[...program.bindings.keys()].join(', ')}.`);
    }
    if (!tensor.alive) throw fault('disposed', `the tensor ${what} was disposed of`, 'keep() it.');
    if (binding.dtype !== tensor.dtype) {
      const problem = `${what} holds ${tensor.dtype}, the kernel takes ${binding.dtype}`;
      throw fault('dtype', problem, `Pass a tensor of ${binding.dtype}.`);
    }
    const most = limits.maxStorageBufferBindingSize;
    if (tensor.bytes > most) {
      throw fault('memory', `${what} has ${tensor.bytes} bytes, the GPU binds at most ${most}`, 'Use a smaller batch.');
    }
  }
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function slotBytes({ device }: Gpu, { kernel }: Launch): number {
  return align(Math.max(16, 4 * kernel.program.fields.length), device.limits.minUniformBufferOffsetAlignment);
}

export function uniformBytes(gpu: Gpu, launches: readonly Launch[]): number {
  return launches.reduce((sum, launch) => sum + slotBytes(gpu, launch), 0);
}

/** Waits for the kernels' compilation, uploads the sizes of all launches into `uniforms` and makes the bind groups. */
export async function prepare(gpu: Gpu, launches: readonly Launch[], uniforms: GPUBuffer): Promise<PreparedLaunch[]> {
  const { device, kernels } = gpu;
  const words = new DataView(new ArrayBuffer(uniformBytes(gpu, launches)));
  const prepared: PreparedLaunch[] = [];
  let offset = 0;
  for (let i = 0; i < launches.length; i++) {
    const { kernel, bindings, sizes, invocations } = launches[i];
    const { layout, pipeline } = kernels.get(launches[i]);
    const { fields, uniform, bindings: declared } = kernel.program;
    fields.forEach(({ name, type }, slot) => {
      const at = offset + 4 * slot;
      if (type === 'f32') words.setFloat32(at, sizes[name], true);
      else if (type === 'i32') words.setInt32(at, sizes[name], true);
      else words.setUint32(at, sizes[name], true);
    });
    const entries: GPUBindGroupEntry[] = Object.entries(bindings).map(([name, tensor]) => ({
      binding: declared.get(name)?.index as number,
      // rounded up to a whole vec4, as which a short tensor may be read; its buffer is longer
      resource: { buffer: tensor.storage.buffer, offset: tensor.offset, size: align(tensor.bytes, 16) },
    }));
    if (uniform >= 0) {
      const size = align(Math.max(16, 4 * fields.length), 16);
      entries.push({ binding: uniform, resource: { buffer: uniforms, offset, size } });
    }
    prepared.push({
      launch: launches[i],
      pipeline: await pipeline,
      group: device.createBindGroup({ layout, entries }),
      groups: Math.ceil(invocations / kernel.workgroup),
    });
    offset += slotBytes(gpu, launches[i]);
  }
  if (offset > 0) device.queue.writeBuffer(uniforms, 0, words.buffer);
  return prepared;
}
