/** The folder of a run: what training writes and what evaluation reads back. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PairedData, Skipped } from '../data/types.ts';
import { makeFolder, writeWhole } from '../files/disk.ts';
import { decodeSafetensors, type SafetensorEntry } from '../files/safetensors.ts';
import type { Module } from '../model/module.ts';
import { type StateDict, unprefixed } from '../model/module.ts';
import { type Config, parseConfig } from '../romo/config.ts';
import type { PseudoLabels } from '../romo/method/stage_state.ts';
import { encodeModels } from '../romo/run/model_file.ts';
import { RomoError } from '../tensor/error.ts';

/** Bad objects. `--inspect` writes this file without a run. */
const SKIPPED = 'skipped.json';

const FILES = [
  'config.json',
  'split.json',
  'metrics.jsonl',
  'pseudo-labels.csv',
  'model.safetensors',
  'result.json',
  SKIPPED,
  'checkpoint.safetensors',
  'checkpoint.previous.safetensors',
];

/** The files of a run that exist in the folder. */
function heldFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory())
    throw new RomoError('file', `${folder} is not a folder`, 'Choose another --out.');
  return readdirSync(folder).filter((name) => FILES.includes(name));
}

/** Throws if the folder holds another run that must not be overwritten. Changes nothing. */
export function checkRunFolder(folder: string, overwrite: boolean): void {
  const held = heldFiles(folder);
  if (held.some((name) => name !== SKIPPED) && !overwrite) {
    throw new RomoError(
      'file',
      `${folder} holds another run (${held.join(', ')})`,
      `Choose another --out, add --overwrite, or continue it: --resume ${folder}.`,
    );
  }
}

/** Was a run started there? */
export const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/** Is the run complete? The result is written last. */
export const isFinished = (folder: string): boolean => existsSync(join(folder, 'result.json'));

/** Creates the folder, and removes the files of a run that `checkRunFolder` accepted; other files stay. */
export function createRunFolder(folder: string): void {
  for (const name of heldFiles(folder)) rmSync(join(folder, name));
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot create the folder ${folder}: ${(cause as Error).message}`,
      'Choose another --out.',
    );
  }
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

export const writeSkipped = (folder: string, skipped: readonly Skipped[]): Promise<void> =>
  writeJson(join(folder, SKIPPED), skipped);

const FINISHED = 'Pass the folder of a finished run.';

/** Runs `read`; its errors name the file. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new RomoError('file', `cannot read ${path}: ${(cause as Error).message}`, FINISHED);
  }
}

/** Reads and checks the config.json of a run. */
export function readConfig(path: string): Config {
  return parseConfig(
    reading(path, () => JSON.parse(readFileSync(path, 'utf8')) as unknown),
    path,
  );
}

/** Saves models under prefixes, in PyTorch's names and layouts. */
export async function saveModels(
  path: string,
  models: Readonly<Record<string, Module>>,
  config: Config,
): Promise<void> {
  await writeWhole(path, await encodeModels(models, config));
}

/** Reads what `saveModels` wrote. */
export function readTensors(path: string): Record<string, SafetensorEntry> {
  return decodeSafetensors(
    reading(path, () => readFileSync(path)),
    path,
  ).tensors;
}

/**
 * Loads the tensors of a file into models. Missing, unused and misshapen keys are an error that lists them.
 * @param path of that file, for messages
 */
export function loadModels(
  models: Readonly<Record<string, Module>>,
  tensors: Readonly<Record<string, SafetensorEntry>>,
  path: string,
): void {
  const unknown = Object.keys(tensors).filter((name) => !Object.hasOwn(models, name.split('.')[0]));
  if (unknown.length > 0) {
    throw new RomoError('state-dict', `${path} has unused keys: ${unknown.join(', ')}`, FINISHED);
  }
  for (const [prefix, model] of Object.entries(models)) {
    model.loadStateDict(unprefixed(tensors as StateDict, `${prefix}.`), `${path} (${prefix})`);
  }
}

/** One line per training object: its id, and the pseudo labels of its image and its cloud. */
export function pseudoLabelsCsv(pairs: PairedData, { images, clouds }: PseudoLabels): string {
  const lines = Array.from({ length: pairs.length }, (_, i) => `${quoted(pairs.id(i))},${images[i]},${clouds[i]}`);
  return `${['id,image,points', ...lines].join('\n')}\n`;
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
