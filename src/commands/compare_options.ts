/** The command line of a comparison. */
import { Command } from 'commander';
import { METHODS, methodsNamed } from '../compare/list.ts';
import { KINDS } from '../compare/method.ts';
import { shownName } from '../compare/summary.ts';
import type { CompareOptions } from './comparing.ts';
import { COMPARISON } from './comparison_folder.ts';
import { addRunOptions, readTrainOptions } from './options.ts';
import { whole } from './parse.ts';

/** Fields that the methods decide. */
const OF_THE_METHODS = [
  'recipe',
  'clusterBy',
  'joinedFrom',
  'ssm.within',
  'ssm.withinClouds',
  'rdl.loss',
  'rdl.headTemperature',
  'rdl.pull',
] as const;

/** The command with all its options. */
export function compareCommand(): Command {
  const command = new Command('compare')
    .description(
      'Trains RoMo and other methods with the same pairs, encoders, augmentation and steps, and compares them.',
    )
    .option(
      '--methods <list>',
      'names separated by commas, or all (default: all; with --resume those of the comparison)',
    )
    .option(
      '--seeds <n>',
      'number of seeds, from --seed on (default: 1; with --resume those of the comparison)',
      whole(1),
    )
    .option('--list', 'say of each method what it is, and stop')
    .option('--out <dir>', 'folder of the comparison', 'runs/compare')
    .option('--overwrite', 'replace a comparison that is in the folder')
    .option('--resume <dir>', 'continue the comparison in that folder; methods and seeds may be added');
  return addRunOptions(command, COMPARISON, OF_THE_METHODS);
}

/** Reads the arguments into a checked configuration, and what is compared. */
export function readCompareOptions(command: Command): CompareOptions {
  const { methods, seeds } = command.opts();
  return { ...readTrainOptions(command, () => undefined), methods: methods && methodsNamed(methods), seeds };
}

/** What `--list` prints. */
export function listOfMethods(): string {
  return Object.entries(KINDS)
    .map(([kind, heading]) => {
      const own = METHODS.filter((method) => method.kind === kind);
      const lines = own.flatMap((method) => [
        `  ${shownName(method)}`,
        `      ${method.what}`,
        `      source: ${method.source}`,
        `      uses: ${method.uses}; reads labels: ${method.readsLabels ? 'YES' : 'no'}`,
      ]);
      return `${heading}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
