/** `node dist/train.js`: trains a new run into --out, resumes a run, or shows the data. */
import { inspectData } from './inspect.ts';
import { main } from './main.ts';
import { readTrainOptions, trainCommand } from './options.ts';
import { train } from './training.ts';

const command = trainCommand();
await main(command, () => {
  const options = readTrainOptions(command);
  return options.inspect ? inspectData(options.config, command, options.fewerWillDo, options.out) : train(options);
});
