/** Times every launch with the GPU's own clock: `openDevice({ profile: true })`, then `await gpu.profiler.report()`. */
import { whenDone } from '#webgpu';
import { USAGE } from './memory.ts';

const CAPACITY = 2048; // launches per submit

export interface KernelTime {
  label: string;
  launches: number;
  milliseconds: number;
}

export class Profiler {
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private labels: string[] = [];
  private readonly pending: { labels: string[]; buffer: GPUBuffer }[] = [];

  constructor(private readonly device: GPUDevice) {
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 * CAPACITY });
    this.resolved = device.createBuffer({ size: 16 * CAPACITY, usage: USAGE.query | USAGE.copySource });
  }

  /**
   * Where the next launch writes its timestamps; undefined if the submit has more launches than the query set holds.
   */
  next(label: string): GPUComputePassTimestampWrites | undefined {
    if (this.labels.length >= CAPACITY) return undefined;
    const slot = 2 * this.labels.length;
    this.labels.push(label);
    return { querySet: this.queries, beginningOfPassWriteIndex: slot, endOfPassWriteIndex: slot + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    if (this.labels.length === 0) return;
    const size = 16 * this.labels.length;
    const buffer = this.device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
    encoder.resolveQuerySet(this.queries, 0, 2 * this.labels.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, buffer, 0, size);
    this.pending.push({ labels: this.labels, buffer });
    this.labels = [];
  }

  /** Time by kernel since the last report, longest first. */
  async report(): Promise<KernelTime[]> {
    const times = new Map<string, KernelTime>();
    for (const { labels, buffer } of this.pending.splice(0)) {
      await whenDone(buffer.mapAsync(1));
      const stamps = new BigUint64Array(buffer.getMappedRange());
      labels.forEach((label, i) => {
        const entry = times.get(label) ?? { label, launches: 0, milliseconds: 0 };
        entry.launches++;
        entry.milliseconds += Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6;
        times.set(label, entry);
      });
      buffer.destroy();
    }
    return [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }
}
