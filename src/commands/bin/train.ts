/** `node dist/train.js`: learns the common space and writes the run to --out, continues one, or inspects the data. */
import { main } from '../main.ts';
import { trainProgram } from '../train.ts';

await main(trainProgram());
