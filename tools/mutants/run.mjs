/**
 * `npm run test:mutants`: changes one thing at a time in the kernels and runs their tests, which should fail. A mutant that
 * passes is either equivalent, and listed with its reason in equivalent.json, or shows that a test is missing.
 *
 *   --seed N      seed of the draw (default 1)
 *   --count N     about how many, over all files (default 180)
 *   --only FILE   only mutants of this WGSL file, such as matmul.wgsl; can be repeated
 *   --jobs N      how many at a time (default: one per processor)
 *
 * Exit codes: 0 if at least 95 % are caught, 1 if fewer, 2 if the tests could not run.
 */
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setUp } from '../setup.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '180' },
      only: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const numbers = {};
  for (const name of ['seed', 'count', 'jobs']) {
    numbers[name] = Number(values[name]);
    if (!Number.isInteger(numbers[name]) || numbers[name] < 1)
      throw new Error(`--${name} ${values[name]}: must be a positive integer`);
  }
  return { ...numbers, only: values.only };
}

try {
  const options = readOptions();
  const environment = await setUp();
  if (!environment) throw new Error('the machine is not ready for the tests, see above');
  // Imported only now, because setUp installs esbuild.
  const { tryMutants } = await import('./campaign.mjs');
  process.exitCode = await tryMutants(root, environment, options);
} catch (error) {
  console.error(`test:mutants: ${error.message}`);
  process.exitCode = 2;
}
