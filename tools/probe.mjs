/** Prints the adapters of this machine as JSON. It runs in its own process, because a broken driver may crash it. */
import { findAdapters } from './machine.mjs';

console.log(JSON.stringify(await findAdapters()));
