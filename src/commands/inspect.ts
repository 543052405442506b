/**
 * `--inspect`: shows a data set without training: counts, classes, sizes, bad objects, and a contact sheet of pairs.
 */
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { TooFewObjects } from '../data/sets/found.ts';
import type { AnySplit, DataSet, Skipped } from '../data/types.ts';
import { makeFolder, writeWhole } from '../files/disk.ts';
import { type Config, checkConfig } from '../romo/config.ts';
import { RomoError } from '../tensor/error.ts';
import { contactSheet } from './contact_sheet.ts';
import { neededPoints, type OpenedData, openRunData } from './data.ts';
import { writeSkipped } from './run_folder.ts';

const SHEET_PAIRS = 40;

/** Shows whatever there is, even if training would refuse it, and then says what training would refuse. */
export async function inspectData(
  config: Config,
  command: Command,
  fewerWillDo: { train: boolean; test: boolean },
  out: string,
): Promise<void> {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const list = async (skipped: readonly Skipped[]) => {
    print(`bad objects: ${skipped.length}`);
    for (const { reason } of skipped.slice(0, 20)) print(`  ${reason}`);
    if (skipped.length > 20) print(`  and ${skipped.length - 20} more, see skipped.json`);
    makeFolder(out);
    await writeSkipped(out, skipped);
  };
  const skipping: Config = { ...config, set: { ...config.set, onBad: 'skip' } };
  const anything = { fewerWillDo: { train: true, test: true }, noneWillDo: true, leastPoints: 1 };
  const opened = await openRunData(skipping, command, anything).catch(async (cause: Error) => {
    if (cause instanceof TooFewObjects) await list(cause.skipped);
    throw cause;
  });
  try {
    const { data, skipped } = opened;
    print(`${config.data}: ${data.train.pairs.length} pairs to train on, ${data.test.pairs.length} held out`);
    if ('found' in data) {
      const { train, test, notes } = data.found;
      print(`found ${train} and ${test} in all`);
      for (const note of notes) print(`  ${note}`);
    }
    print(await sizes(data));
    print(classes(data));
    await list(skipped);
    const sheet = join(out, 'contact-sheet.png');
    const { png, ids } = await contactSheet(shownSplit(data).pairs, SHEET_PAIRS);
    await writeWhole(sheet, png);
    print(`${sheet} shows, row by row: ${ids.join(', ')}`);
    const refused = refusals(config, opened, fewerWillDo);
    print(refused.length > 0 ? `training would refuse this:\n  ${refused.join('\n  ')}` : 'training would accept this');
  } finally {
    await opened.close();
  }
}

/** The split to show: a small set may have only one. */
const shownSplit = ({ train, test }: DataSet): AnySplit => (train.pairs.length > 0 ? train : test);

/** Why training would refuse the data or the options. */
function refusals(
  config: Config,
  { data, skipped }: OpenedData,
  fewerWillDo: { train: boolean; test: boolean },
): string[] {
  const reasons: string[] = [];
  const found = { train: data.train.pairs.length, test: data.test.pairs.length };
  for (const name of ['train', 'test'] as const) {
    const kind = name === 'train' ? 'training' : 'test';
    if (found[name] === 0) reasons.push(`there are no ${kind} objects. Add some.`);
    else if (found[name] < config[name] && !fewerWillDo[name]) {
      reasons.push(`${config[name]} ${kind} objects are requested, but there are ${found[name]}. Lower --${name}.`);
    }
  }
  if (skipped.length > 0 && config.set?.onBad !== 'skip') {
    reasons.push(`bad objects: ${skipped.length}. Mend them, or add --on-bad skip.`);
  }
  const least = neededPoints(config);
  const origins = 'found' in data ? [...data.train.origins, ...data.test.origins] : [];
  const sparse = origins.filter(({ points, triangles }) => triangles === 0 && points < least);
  if (sparse.length > 0) {
    reasons.push(`clouds of fewer than ${least} points: ${sparse.length}. Lower --k-ssm and --k-rdl.`);
  }
  try {
    if (found.train > 0 && found.test > 0) checkConfig({ ...config, ...found });
  } catch (error) {
    if (!(error instanceof RomoError && error.code === 'option')) throw error;
    reasons.push(error.message);
  }
  return reasons;
}

/** Smallest, median and largest sizes of images and clouds. */
async function sizes(data: OpenedData['data']): Promise<string> {
  const table = new Table({
    head: ['', 'smallest', 'median', 'largest'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  const add = (name: string, values: number[]) => {
    if (values.every((value) => value === 0)) return;
    const sorted = [...values].sort((a, b) => a - b);
    table.push([name, sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]].map(String));
  };
  if ('found' in data) {
    const { train, test } = data;
    const origins = [...train.origins, ...test.origins];
    add(
      'picture, width',
      origins.map(({ width }) => width),
    );
    add(
      'picture, height',
      origins.map(({ height }) => height),
    );
    add(
      'points or vertices',
      origins.map(({ points }) => points),
    );
    add(
      'triangles',
      origins.map(({ triangles }) => triangles),
    );
  }
  const { pairs } = shownSplit(data);
  const [sample] = await pairs.load([0]);
  const [height, width, channels] = pairs.imageShape;
  const shown = `images [${height}, ${width}, ${channels}], clouds [${sample.cloud.length / 3}, 3]`;
  return `the networks see samples of ${shown}${table.length > 0 ? `; in the files:\n${table}` : ''}`;
}

function classes({ train, test }: DataSet): string {
  if (!test.labels) return 'no labels: figures that need classes will be left out';
  const count = ({ labels }: AnySplit, number: number) =>
    labels?.values.filter((value) => value === number).length ?? 0;
  const rows = test.labels.classNames.flatMap((name, number) => {
    const [trained, held] = [count(train, number), count(test, number)];
    return trained + held > 0 ? [`${name} ${trained}/${held}`] : [];
  });
  return `${rows.length} classes (train/test): ${rows.join(', ')}`;
}
