/** `node dist/train.js`: learns the common space and writes the run to --out, or goes on with one. */
import { main } from './cli/main.ts';
import { readTrainOptions, trainCommand } from './cli/options.ts';
import { train } from './cli/training.ts';

const command = trainCommand();
await main(command, () => train(readTrainOptions(command)));
