/** `split.json` of a run: the ids that it trained on and those that it held out, with hashes of the objects. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CheckedData, CheckedSplit, KnownObjects } from '../data/types.ts';
import { counted } from '../files/remarks.ts';
import type { Config } from '../romo/config.ts';
import { RomoError } from '../tensor/error.ts';
import { writeJson } from './run_folder.ts';

const SPLIT = 'split.json';

/** A collection by its kind and the real path of its files, however that was typed; `shapes` for the built-in ones. */
export function sourceOf(spec: string): string {
  const colon = spec.indexOf(':');
  if (colon < 0) return spec;
  const path = spec.slice(colon + 1);
  return `${spec.slice(0, colon)}:${existsSync(path) ? realpathSync(path) : resolve(path)}`;
}

/** What a run knows of its data set. */
export interface RunSplit extends Pick<KnownObjects, 'train' | 'test' | 'unused'> {
  /** see `sourceOf` */
  readonly source: string;
}

/** Of a run that knows no object of a set. */
const NO_SPLIT: RunSplit = { source: '', train: new Map(), test: new Map(), unused: new Set() };

/** @param spec of the data */
export async function writeSplit(folder: string, spec: string, data: CheckedData): Promise<void> {
  const listed = ({ pairs, hashes }: CheckedSplit) => ({ ids: hashes.map((_, i) => pairs.id(i)), hashes });
  const [train, test] = [listed(data.train), listed(data.test)];
  const used = new Set([...train.ids, ...test.ids]);
  const unused = data.found.ids.filter((id) => !used.has(id));
  await writeJson(join(folder, SPLIT), { source: sourceOf(spec), train, test, unused });
}

/**
 * @returns null if the run has no such file: an older version made it, or its data are generated
 * @throws RomoError `file` if it is damaged
 */
export function readSplit(folder: string): RunSplit | null {
  const path = join(folder, SPLIT);
  if (!existsSync(path)) return null;
  const broken = (what: string): RomoError =>
    new RomoError('file', `${path}: ${what}`, 'Copy the whole run again; without this file its split is not known.');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw broken(`is not JSON: ${(cause as Error).message}`);
  }
  const { source, train, test, unused } = Object(value);
  const isTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  const mapOf = (split: unknown, name: string): Map<string, string> => {
    const { ids, hashes } = Object(split);
    if (!isTexts(ids) || !isTexts(hashes) || ids.length !== hashes.length)
      throw broken(`${name} is not ids and hashes`);
    return new Map(ids.map((id, i) => [id, hashes[i]]));
  };
  if (typeof source !== 'string') throw broken('it names no source');
  if (!isTexts(unused)) throw broken('unused is not a list of ids');
  return { source, train: mapOf(train, 'train'), test: mapOf(test, 'test'), unused: new Set(unused) };
}

/**
 * What a run knows of a set; null if it does not list its own, whose split then is drawn as for the run.
 * @param data the set; undefined for the run's own
 */
export function knownObjects(
  folder: string,
  config: Config,
  data: string | undefined,
  open: KnownObjects['open'],
): KnownObjects | null {
  const split = readSplit(folder);
  const isOwn = data === undefined || sourceOf(data) === (split?.source ?? sourceOf(config.data));
  if (!split && isOwn) return null;
  return { ...(split ?? NO_SPLIT), isCertain: isOwn, open };
}

/** Some names for a message: `3 objects, a, b, c`. */
export function named(ids: readonly string[], most = 5): string {
  const more = ids.length > most ? `, and ${ids.length - most} more` : '';
  return `${counted(ids.length, 'object')}: ${ids.slice(0, most).join(', ')}${more}`;
}

/** What has happened to the set of a run since, in sentences for the user. */
export function changesOf(since: CheckedData['since']): string[] {
  if (!since) return [];
  const { added, missing, changed } = since;
  return [
    ...(added.length > 0 ? [`neither trained on nor held out, because they came after training: ${named(added)}`] : []),
    ...(missing.length > 0 ? [`no longer there: ${named(missing)}`] : []),
    ...(changed.length > 0 ? [`no longer as they were at training: ${named(changed)}`] : []),
  ];
}

/** Said of runs without split.json. */
export const DRAWN_AGAIN =
  'the run does not list its objects, because an older version made it: its split is drawn again, which is right only ' +
  'if nothing was added to its data or removed';
