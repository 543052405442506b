/** `node dist/train.js`: learns the common space and writes the run to --out, goes on with one, or looks at the data. */
import { inspectData } from './cli/inspect.ts';
import { main } from './cli/main.ts';
import { readTrainOptions, trainCommand } from './cli/options.ts';
import { train } from './cli/training.ts';

const command = trainCommand();
await main(command, () => {
  const options = readTrainOptions(command);
  return options.inspect ? inspectData(options.config, command, options.fewerWillDo, options.out) : train(options);
});
