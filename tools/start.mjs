/** `npm start`: sets up the machine, builds, and trains on the built-in shapes. The run is written to runs/start/. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { setUp } from './setup.mjs';

/** Options of the run. Those after `npm start --` are appended and take precedence. A second start replaces the first one's run. */
const training =
  '--data shapes --preset small --train 500 --test 200 --epochs-ssm 8 --epochs-rdl 4 --out runs/start --overwrite'.split(
    ' ',
  );

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const environment = await setUp();
process.exitCode = environment ? await buildAndTrain(environment) : 1;

async function buildAndTrain(environment) {
  const built = await run(process.execPath, ['tools/build.mjs']);
  if (built !== 0) return built;
  return run(process.execPath, ['dist/train.js', ...training, ...process.argv.slice(2)], environment);
}
