/** `node dist/train.js`: learns the common space and writes the run to --out, continues one, or inspects the data. */
import { inspectData } from './inspect.ts';
import type { Program } from './main.ts';
import { readTrainOptions, trainCommand } from './options.ts';
import { train } from './training.ts';

export function trainProgram(): Program {
  const command = trainCommand();
  return {
    command,
    run() {
      const options = readTrainOptions(command);
      return options.inspect ? inspectData(options.config, command, options.fewerWillDo, options.out) : train(options);
    },
  };
}
