/** `node dist/compare.js`: trains RoMo and other methods on the same data and compares them, or lists the methods. */
import { compareCommand, listOfMethods, readCompareOptions } from './compare_options.ts';
import { compare } from './comparing.ts';
import { main } from './main.ts';

const command = compareCommand();
await main(command, async () => {
  if (command.opts().list) process.stdout.write(listOfMethods());
  else await compare(readCompareOptions(command));
});
