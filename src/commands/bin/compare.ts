/** `node dist/compare.js`: trains RoMo and other methods on the same data and compares them, or lists the methods. */
import { compareProgram } from '../compare.ts';
import { main } from '../main.ts';

await main(compareProgram());
