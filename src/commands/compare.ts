/** `node dist/compare.js`: trains RoMo and other methods on the same data, and compares them. */
import { Command } from 'commander';
import { METHODS, methodsNamed } from '../compare/list.ts';
import { KINDS } from '../compare/method.ts';
import { shownName } from '../compare/summary.ts';
import { compare } from './comparing.ts';
import { COMPARISON } from './comparison_folder.ts';
import { main } from './main.ts';
import { addRunOptions, readTrainOptions } from './options.ts';
import { whole } from './parse.ts';

/** Fields that the methods decide. */
const OF_THE_METHODS = ['recipe', 'clusterBy', 'ssm.within', 'rdl.loss'] as const;

const command = new Command('compare')
  .description(
    'Trains RoMo and other methods with the same pairs, encoders, augmentation and steps, and compares them.',
  )
  .option('--methods <list>', 'names separated by commas, or all (default: all; with --resume those of the comparison)')
  .option(
    '--seeds <n>',
    'number of seeds, from --seed on (default: 1; with --resume those of the comparison)',
    whole(1),
  )
  .option('--list', 'say of each method what it is, and stop')
  .option('--out <dir>', 'folder of the comparison', 'runs/compare')
  .option('--overwrite', 'replace a comparison that is in the folder')
  .option('--resume <dir>', 'continue the comparison in that folder; methods and seeds may be added');
addRunOptions(command, COMPARISON, OF_THE_METHODS);

await main(command, async () => {
  const { list, methods, seeds } = command.opts();
  if (list) process.stdout.write(listOfMethods());
  else await compare({ ...readTrainOptions(command), methods: methods && methodsNamed(methods), seeds });
});

function listOfMethods(): string {
  return Object.entries(KINDS)
    .map(([kind, heading]) => {
      const own = METHODS.filter((method) => method.kind === kind);
      const lines = own.map((method) =>
        [
          `  ${shownName(method)}`,
          `      ${method.what}`,
          `      source: ${method.source}`,
          `      uses: ${method.uses}; reads labels: ${method.readsLabels ? 'YES' : 'no'}`,
        ].join('\n'),
      );
      return `${heading}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}
