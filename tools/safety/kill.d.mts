/** Types of kill.mjs. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';

export const tiny: readonly string[];
export const tinySteps: number;
export function fingerprint(folder: string): Record<string, string>;
export interface Ending {
  code: number | null;
  signal: string | null;
  output: string;
}
export function startTraining(
  words: readonly string[],
  options?: SpawnOptions,
): { child: ChildProcess; ended: Promise<Ending> };
export function stepsDone(folder: string): number;
export interface Moment {
  step: number;
  delay: number;
  inWrite: boolean;
}
export interface Kill {
  steps: number;
  inWrite: boolean;
  from: string;
}
export function trial(
  folder: string,
  expected: Record<string, string>,
  moments: readonly Moment[],
  words?: readonly string[],
): Promise<{ kills: Kill[]; same: boolean; problem: string | null }>;
