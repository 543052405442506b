/** Examines the GPU in a worker, which is where the other pages use it. */
import { expose } from 'comlink';
import type { Gpu } from 'romo';
import { type CheckedFamily, checkKernels } from 'romo/check';
import { tryOpenDevice } from '../shared/device.ts';
import { measure, type Speed } from './speed.ts';

/** What the browser says of the adapter. */
export interface Adapter {
  readonly adapter: string;
  readonly software: boolean;
  /** whose kernels run */
  readonly backend: string;
  readonly browser: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** operations per second by which work is cut into submits */
  readonly rate: number;
}

let gpu: Gpu;

const checker = {
  async open(): Promise<Adapter | { refused: string }> {
    const opening = await tryOpenDevice({ selfTest: false });
    if ('refused' in opening) return opening;
    gpu = opening.gpu;
    return checker.describe();
  },

  describe(): Adapter {
    const { device, adapterName, software, backend, pace } = gpu;
    const limits: Record<string, number> = {};
    for (const key in device.limits) {
      const value = device.limits[key as keyof GPUSupportedLimits];
      if (typeof value === 'number') limits[key] = value;
    }
    const features = [...device.features].sort();
    const { userAgent } = navigator;
    return {
      adapter: adapterName,
      software,
      backend: backend.name,
      browser: userAgent,
      features,
      limits,
      rate: pace.rate,
    };
  },

  async kernels(onFamily: (checked: CheckedFamily) => void): Promise<void> {
    for await (const checked of checkKernels(gpu)) onFamily(checked);
  },

  measure: (seconds: number, onSpeed: (speed: Speed) => void): Promise<void> => measure(gpu, seconds, onSpeed),
};

export type Checker = typeof checker;
expose(checker);
