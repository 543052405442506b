/** The folder of a run: what training writes and what evaluation reads back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PairedData } from '../data/types.ts';
import type { Module } from '../model/module.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from '../model/safetensors.ts';
import type { Config } from '../romo/config.ts';
import type { PseudoLabels } from '../romo/pseudo_labels.ts';
import { RomoError } from '../tensor/error.ts';

const FILES = ['config.json', 'metrics.jsonl', 'pseudo-labels.csv', 'model.safetensors', 'result.json'];

/** Makes the folder. One that holds another run is an error unless `overwrite`, which removes that run's files only. */
export function createRunFolder(folder: string, overwrite: boolean): void {
  const held = existsSync(folder) ? readdirSync(folder).filter((name) => FILES.includes(name)) : [];
  if (held.length > 0 && !overwrite) {
    throw new RomoError(
      'file',
      `${folder} holds another run (${held.join(', ')})`,
      'Choose another --out or add --overwrite.',
    );
  }
  for (const name of held) rmSync(join(folder, name));
  try {
    makeFolder(resolve(folder));
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot make the folder ${folder}: ${(cause as Error).message}`,
      'Choose another --out.',
    );
  }
}

/** Level by level: Node's recursive mkdir never returns where a level refuses with ENOENT, as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** Writes a file whole or not at all. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.part`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

/** Reads JSON; the error names the file. */
export function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot read ${path}: ${(cause as Error).message}`,
      'Pass the folder of a finished run.',
    );
  }
}

/** Saves models under prefixes, in PyTorch's names and layouts. */
export async function saveModels(
  path: string,
  models: Readonly<Record<string, Module>>,
  config: Config,
): Promise<void> {
  const tensors: Record<string, SafetensorEntry> = {};
  for (const [prefix, model] of Object.entries(models)) {
    for (const [name, { shape, data }] of Object.entries(await model.stateDict())) {
      tensors[`${prefix}.${name}`] = { shape, dtype: 'f32', data };
    }
  }
  writeWhole(path, encodeSafetensors(tensors, { format: 'pt', config: JSON.stringify(config) }));
}

/** Loads what `saveModels` wrote. Missing, unused and misshapen keys are an error that lists them. */
export function loadModels(path: string, models: Readonly<Record<string, Module>>): void {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot read ${path}: ${(cause as Error).message}`,
      'Pass the folder of a finished run.',
    );
  }
  const { tensors } = decodeSafetensors(bytes, path);
  const unknown = Object.keys(tensors).filter((name) => !(name.split('.')[0] in models));
  if (unknown.length > 0) throw new RomoError('state-dict', `${path}: unused keys ${unknown.join(', ')}`, '');
  for (const [prefix, model] of Object.entries(models)) {
    const own = Object.entries(tensors).filter(([name]) => name.startsWith(`${prefix}.`));
    const state = own.map(([name, { shape, data }]) => [
      name.slice(prefix.length + 1),
      { shape, data: data as Float32Array },
    ]);
    model.loadStateDict(Object.fromEntries(state), `${path} (${prefix})`);
  }
}

/** One line per training object: id, pseudo label of its image and of its cloud. */
export function pseudoLabelsCsv(pairs: PairedData, { images, points }: PseudoLabels): string {
  const lines = Array.from({ length: pairs.length }, (_, i) => `${quoted(pairs.id(i))},${images[i]},${points[i]}`);
  return `${['id,image,points', ...lines].join('\n')}\n`;
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
