/** Prints the trace of this machine's adapter as JSON; a process of its own, because the driver is chosen by the environment. */
import { trace } from './trace.ts';

process.stdout.write(JSON.stringify(await trace({ disturb: process.argv.includes('--disturb') })));
