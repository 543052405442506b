/** Types of machine.mjs. */
import type { SpawnSyncReturns } from 'node:child_process';
import type { Machine } from './systems.mjs';

export interface FoundAdapter {
  name: string;
  backend: string;
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  kind: 'software' | 'integrated GPU' | 'GPU';
  features: string[];
  limits: Record<string, number>;
  /** why no device could be opened on it; null if one could */
  failure: string | null;
}

export interface Found {
  adapters: FoundAdapter[];
  chosen: { request: GPURequestAdapterOptions; description: string | null }[];
}

export declare function thisMachine(): Machine;
export declare function findAdapters(): Promise<Found>;
export declare function readProbe(
  child: Pick<SpawnSyncReturns<string>, 'error' | 'signal' | 'status' | 'stdout' | 'stderr'>,
): Found & { failure: string | null; loads: boolean };
