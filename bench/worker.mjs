/**
 * Runs one workload of one implementation in a process and prints a line `RESULT {json}`. Started by run.mjs.
 *
 *   node bench/worker.mjs IMPLEMENTATION WORKLOAD [--adapter NAME] [--seconds N]
 */
import { parseArgs } from 'node:util';
import { measure } from './measure.mjs';
import { ALL } from './workloads.mjs';

const MODULES = {
  ceilings: '../dist/bench/ceilings.js',
  ours: '../dist/bench/main.js',
  tfjs: './peers/tfjs.mjs',
  jaxjs: './peers/jaxjs.mjs',
  ort: './peers/ort.mjs',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { adapter: { type: 'string' }, seconds: { type: 'string', default: '45' } },
});
const [implementation, name] = positionals;

async function work() {
  const { open } = await import(MODULES[implementation]);
  const { about, prepare, counters } = await open({ adapter: values.adapter });
  if (!prepare || name === 'about') return about;
  const spec = ALL.find((workload) => workload.name === name);
  const prepared = await prepare(spec);
  if (spec.kind === 'cold') {
    await prepared.run();
    console.log('READY'); // processes.mjs takes the time of this line
    return { check: await prepared.check?.(), about };
  }
  const { first, times } = prepared.times ?? (await measure(prepared.run, Number(values.seconds)));
  const { peakBytes } = counters?.() ?? {};
  return { first, times, peakBytes, ...(await prepared.figures?.()), check: await prepared.check?.(), about };
}

// process.exit is needed: Dawn keeps the event loop busy while a device lives.
try {
  console.log(`RESULT ${JSON.stringify(await work())}`);
  process.exit(0);
} catch (error) {
  console.log(`RESULT ${JSON.stringify({ error: `${error?.message ?? error}`.slice(0, 2000) })}`);
  process.exit(1);
}
