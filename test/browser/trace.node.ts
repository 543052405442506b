/**
 * Prints the trace of this machine's adapter as JSON; a separate process, because the environment selects the driver.
 */
import { trace } from './trace.ts';

process.stdout.write(JSON.stringify(await trace({ disturb: process.argv.includes('--disturb') })));
