/** `node dist/convert.js WEIGHTS --out FILE`: renames pretrained weights for our encoders. */
import { convertProgram } from '../convert.ts';
import { main } from '../main.ts';

await main(convertProgram());
