/** The folder of a comparison: its configuration, a line per finished method and seed, kept warm-ups, and the results. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome, WarmUps } from '../compare/comparison.ts';
import { decodeWarmUp, encodeWarmUp, warmUpKey } from '../compare/warm_up.ts';
import { makeFolder, writeWhole } from '../files/disk.ts';
import { type Config, parseConfig } from '../romo/config.ts';
import { RomoError } from '../tensor/error.ts';
import { writeJson } from './run_folder.ts';

/** What is compared: the settings that all methods share, and which methods with which seeds. */
export interface Comparison {
  readonly config: Config;
  readonly methods: readonly string[];
  /** how many, from config.seed on */
  readonly seeds: number;
}

export const COMPARISON = 'comparison.json';
const OUTCOMES = 'outcomes.jsonl';
const RESULTS = ['compare.json', 'compare.csv', 'compare.html'];
const WARM_UP = /^warm-up-[0-9a-f]+\.safetensors(\.part)?$/;

const pathOfWarmUp = (folder: string, config: Config): string => {
  const hash = createHash('sha256').update(warmUpKey(config)).digest('hex').slice(0, 16);
  return join(folder, `warm-up-${hash}.safetensors`);
};

/** Was a comparison started there? */
export const holdsComparison = (folder: string): boolean => existsSync(join(folder, COMPARISON));

/** Creates the folder without what a comparison before left in it; other files stay. */
export function createComparisonFolder(folder: string): void {
  makeFolder(folder);
  for (const name of [COMPARISON, OUTCOMES, ...RESULTS]) rmSync(join(folder, name), { force: true });
  removeWarmUps(folder);
}

export const writeComparison = (folder: string, comparison: Comparison): Promise<void> =>
  writeJson(join(folder, COMPARISON), comparison);

/** @throws RomoError `file` if the folder holds none, or a damaged one */
export function readComparison(folder: string): Comparison {
  if (!holdsComparison(folder)) {
    throw new RomoError('file', `${folder} holds no comparison`, 'Pass to --resume the folder that was --out.');
  }
  const path = join(folder, COMPARISON);
  let stored: Partial<Comparison>;
  try {
    stored = Object(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw damaged(path, (cause as Error).message);
  }
  const { config, methods, seeds } = stored;
  if (!Array.isArray(methods) || !Number.isSafeInteger(seeds)) throw damaged(path, 'methods or seeds are missing');
  return { config: parseConfig(config, path), methods, seeds: seeds as number };
}

const damaged = (path: string, what: string): RomoError =>
  new RomoError('file', `${path} is damaged: ${what}`, 'Start the comparison again with --overwrite.');

/**
 * The finished methods. A line that was being written when the program ended is removed from the file.
 * @param say called if there is one
 */
export function readOutcomes(folder: string, say: (text: string) => void): Outcome[] {
  const path = join(folder, OUTCOMES);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) {
    say(`warning: the last line of ${path} is incomplete; that method is trained again`);
    truncateSync(path, Buffer.byteLength(whole));
  }
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line, at) => {
      try {
        const outcome = Object(JSON.parse(line));
        if (typeof outcome.method === 'string' && Number.isSafeInteger(outcome.seed)) return outcome as Outcome;
      } catch {
        // reported below
      }
      throw damaged(path, `line ${at + 1} is not the outcome of a method`);
    });
}

/** Appends an outcome as one line, and waits until it is on disk. */
export async function appendOutcome(folder: string, outcome: Outcome): Promise<void> {
  const file = await open(join(folder, OUTCOMES), 'a');
  try {
    await file.appendFile(`${JSON.stringify(outcome)}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Warm-ups in files of the folder. A damaged one counts as none. */
export function warmUpsIn(folder: string, say: (text: string) => void): WarmUps {
  return {
    async get(config) {
      const path = pathOfWarmUp(folder, config);
      if (!existsSync(path)) return null;
      try {
        return decodeWarmUp(readFileSync(path), path, config);
      } catch (error) {
        if (!(error instanceof RomoError && error.code === 'file')) throw error;
        say(`warning: ${error.message}: the warm-up is trained again`);
        return null;
      }
    },
    put: (config, warmUp) => writeWhole(pathOfWarmUp(folder, config), encodeWarmUp(config, warmUp)),
  };
}

/** Removes kept warm-ups. */
export function removeWarmUps(folder: string): void {
  for (const name of readdirSync(folder)) if (WARM_UP.test(name)) rmSync(join(folder, name));
}
