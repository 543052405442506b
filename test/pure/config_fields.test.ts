/** One table of valid values: the command line, stored configurations and `openData` give the same errors. */
import type { CommanderError } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readTrainOptions, trainCommand } from '../../src/commands/options.ts';
import { ALL, DATA_FIELDS, describe, type Field, SET_FIELDS } from '../../src/data/fields.ts';
import { openData } from '../../src/data/open.ts';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { DataOptions } from '../../src/data/types.ts';
import { type Config, PRESETS, parseConfig, withRecipe } from '../../src/romo/config.ts';
import { FIELDS } from '../../src/romo/config_fields.ts';

const test = suite('configuration fields');

const fits: DataOptions = { imageSize: 16, points: 32, train: 100, test: 100, seed: 1 };
const FLAGS: Record<string, string> = {
  train: '--train',
  test: '--test',
  seed: '--seed',
  imageSize: '--image-size',
  points: '--points',
  onBad: '--on-bad',
  channels: '--image-channels',
  views: '--views',
  up: '--up',
  everyFrame: '--every',
  heldOutInstance: '--held-out',
};

function commandLine(flag: string, value: unknown): string | null {
  const command = trainCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse([flag, String(value)], { from: 'user' });
    return null;
  } catch (error) {
    return (error as CommanderError).message;
  }
}

function stored(name: string, value: unknown): string | null {
  const config = structuredClone(PRESETS.tiny) as Config & Record<string, unknown>;
  if (name in SET_FIELDS) config.set = { [name]: value };
  else Object.assign(config, { [name]: value });
  try {
    parseConfig(config, 'config.json');
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** An unknown set is rejected only after its options were found valid. */
async function opener(name: string, value: unknown): Promise<string | null> {
  const { message } = await openData('none', { ...fits, [name]: value }).then(
    () => assert.unreachable(),
    (error) => error,
  );
  return /'none' is not known/.test(message) ? null : message;
}

const dataFields: [string, Field][] = Object.entries({ ...DATA_FIELDS, ...SET_FIELDS });

/** Invalid values, and valid values at the limits. */
function valuesOf(field: Field): { bad: unknown[]; good: unknown[] } {
  if (field.kind === 'choice') return { bad: ['never', 2], good: [...field.of] };
  if (field.kind !== 'whole') throw new Error(field.kind);
  const { low, high } = field;
  const above = high < Number.MAX_SAFE_INTEGER ? [high + 1] : [];
  return { bad: [low - 1, low + 0.5, Number.NaN, ...above], good: [low, high] };
}

test('what one of the three refuses all refuse, with the same words', async () => {
  assert.equal(Object.keys(FLAGS).sort(), dataFields.map(([name]) => name).sort());
  for (const [name, field] of dataFields) {
    for (const value of valuesOf(field).bad) {
      const words = describe(field);
      const place = name in SET_FIELDS ? `set.${name}` : name;
      assert.ok(commandLine(FLAGS[name], value)?.includes(`It must be ${words}.`), `${name} ${value}: command line`);
      assert.ok(stored(name, value)?.includes(`${place} is ${shown(value)}, not ${words}`), `${name} ${value}: stored`);
      assert.ok((await opener(name, value))?.includes(`${name} is ${shown(value)}, not ${words}`), `${name}: opener`);
    }
  }
});

const shown = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : String(value));

test('what is inside all take', async () => {
  for (const [name, field] of dataFields) {
    for (const value of valuesOf(field).good) {
      assert.is(commandLine(FLAGS[name], value), null, `${name} ${value}: command line`);
      // Other fields may conflict with it, but the field itself is valid.
      assert.not.match(stored(name, value) ?? '', new RegExp(`${name} is`), `${name} ${value}: stored`);
      assert.is(await opener(name, value), null, `${name} ${value}: opener`);
    }
  }
});

test('the opener says what is missing, and what cannot be made', async () => {
  assert.match(String(await opener('points', undefined)), /points is missing/);
  assert.match(String(await openData('shapes', { ...fits, train: ALL }).catch((error) => error)), /shapes are endless/);
  assert.is((await openShapes({ ...fits, train: 2, test: 1 })).train.pairs.length, 2);
});

test('the presets are configurations, of fields in the table only', () => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    parseConfig(preset, name); // throws on an invalid field
    const paths = Object.entries(preset).flatMap(([group, value]) =>
      group === 'ssm' || group === 'rdl' ? Object.keys(value).map((field) => `${group}.${field}`) : [group],
    );
    assert.equal(
      paths.filter((path) => !(path in FIELDS)),
      [],
    );
  }
});

test('an option for every field sets it, in the words of the command line', () => {
  const config = (...words: string[]) => {
    const command = trainCommand().exitOverride();
    command.parse(words, { from: 'user' });
    return readTrainOptions(command).config;
  };
  assert.equal(config(), withRecipe(PRESETS.small, 'robust'));
  assert.equal(config('--recipe', 'paper'), { ...PRESETS.small, recipe: 'paper' });
  assert.equal(config('--preset', 'paper'), { ...PRESETS.paper, recipe: 'paper' });
  assert.is(config('--data', 'voxels:x.npz').augment, 'mild');
  assert.is(config('--data', 'folder:x').augment, 'strong');
  assert.is(config('--heads', 'separate').rdl.sharedHead, false);
  assert.is(config('--heads', 'separate').rdl.pull, 0);
  assert.throws(() => config('--heads', 'separate', '--pull', '1'), /one head for both modalities/);
  assert.is(config('--heads', 'shared').rdl.sharedHead, true);
  assert.is(config('--resnet', '18').resnet, 18);
  assert.is(config('--resnet', 'small').resnet, 'small');
  assert.is(config('--train', 'all', '--data', 'folder:x').train, ALL);
  assert.equal(config('--image-channels', '3', '--up', 'y').set, { channels: 3, up: 'y' });
  assert.is(config('--k-rdl', '5', '--k-ssm', '5').rdl.k, 5);
  assert.match(String(commandLine('--heads', 'both')), /It must be one of shared, separate\./);
});

test.run();
