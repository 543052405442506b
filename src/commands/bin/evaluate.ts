/** `node dist/evaluate.js RUN_DIR`: computes the figures of a run again, from its saved models. */
import { evaluateProgram } from '../evaluate.ts';
import { main } from '../main.ts';

await main(evaluateProgram());
