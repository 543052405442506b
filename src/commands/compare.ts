/** `node dist/compare.js`: trains RoMo and other methods on the same data and compares them, or lists the methods. */
import { compareCommand, listOfMethods, readCompareOptions } from './compare_options.ts';
import { compare } from './comparing.ts';
import type { Program } from './main.ts';

export function compareProgram(): Program {
  const command = compareCommand();
  return {
    command,
    async run() {
      if (command.opts().list) process.stdout.write(listOfMethods());
      else await compare(readCompareOptions(command));
    },
  };
}
