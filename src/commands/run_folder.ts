/** The folder of a run: what training writes and what evaluation reads back. */
import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PairedData } from '../data/types.ts';
import { makeFolder } from '../files/make_folder.ts';
import { decodeSafetensors, type SafetensorEntry } from '../files/safetensors.ts';
import type { Module } from '../model/module.ts';
import { type StateDict, unprefixed } from '../model/module.ts';
import { type Config, parseConfig } from '../romo/config.ts';
import type { PseudoLabels } from '../romo/method/stage_state.ts';
import { encodeModels } from '../romo/run/model_file.ts';
import { RomoError } from '../tensor/error.ts';

const FILES = [
  'config.json',
  'metrics.jsonl',
  'pseudo-labels.csv',
  'model.safetensors',
  'result.json',
  'skipped.json',
  'checkpoint.safetensors',
  'checkpoint.previous.safetensors',
];

/** The files of a run that are in the folder already. */
function heldFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory()) throw new RomoError('file', `${folder} is no folder`, 'Choose another --out.');
  return readdirSync(folder).filter((name) => FILES.includes(name));
}

/** Throws where the folder holds another run that is not to be overwritten. Changes nothing. */
export function checkRunFolder(folder: string, overwrite: boolean): void {
  const held = heldFiles(folder);
  if (held.length > 0 && !overwrite) {
    throw new RomoError(
      'file',
      `${folder} holds another run (${held.join(', ')})`,
      `Choose another --out, add --overwrite, or go on with it: --resume ${folder}.`,
    );
  }
}

/** Was a run begun there? */
export const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/** Is all of the run written? The result is what comes last. */
export const isFinished = (folder: string): boolean => existsSync(join(folder, 'result.json'));

/** Makes the folder, and removes the files of a run that `checkRunFolder` let pass; other files stay. */
export function createRunFolder(folder: string): void {
  for (const name of heldFiles(folder)) rmSync(join(folder, name));
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot make the folder ${folder}: ${(cause as Error).message}`,
      'Choose another --out.',
    );
  }
}

/** Writes a file whole or not at all, and onto the disk. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.part`;
  const file = openSync(temporary, 'w');
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** Puts the names in a folder onto the disk. Windows has no way to ask for it, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** metrics.jsonl: a line of JSON per entry. */
export class MetricsLog {
  private readonly file: number;

  /**
   * @param bytes how much of the file stays: what lies behind belongs to steps that will be done again
   * @param say told where the file is shorter than that
   */
  constructor(
    private readonly path: string,
    public bytes: number,
    say: (text: string) => void,
  ) {
    this.file = openSync(path, 'a');
    const { size } = statSync(path);
    if (size < bytes) say(`warning: ${path} has lost lines: ${size} bytes instead of ${bytes}`);
    this.bytes = Math.min(size, bytes);
    ftruncateSync(this.file, this.bytes);
  }

  add(entry: object): void {
    const line = `${JSON.stringify(entry)}\n`;
    try {
      writeFileSync(this.file, line);
      this.bytes += Buffer.byteLength(line);
    } catch (cause) {
      throw new RomoError(
        'file',
        `cannot write ${this.path}: ${(cause as Error).message}`,
        `Make room there; node dist/train.js --resume ${dirname(this.path)} then continues the run.`,
      );
    }
  }

  /** Puts the lines so far onto the disk. */
  sync(): Promise<void> {
    return promisify(fdatasync)(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

const FINISHED = 'Pass the folder of a finished run.';

/** Runs `read`; the error names the file. */
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
  writeWhole(path, await encodeModels(models, config));
}

/** Reads what `saveModels` wrote. */
export function readTensors(path: string): Record<string, SafetensorEntry> {
  return decodeSafetensors(
    reading(path, () => readFileSync(path)),
    path,
  ).tensors;
}

/**
 * Gives models the tensors of a file. Missing, unused and misshapen keys are an error that lists them.
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

/** One line per training object: id, pseudo label of its image and of its cloud. */
export function pseudoLabelsCsv(pairs: PairedData, { images, clouds }: PseudoLabels): string {
  const lines = Array.from({ length: pairs.length }, (_, i) => `${quoted(pairs.id(i))},${images[i]},${clouds[i]}`);
  return `${['id,image,points', ...lines].join('\n')}\n`;
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
