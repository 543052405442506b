/** Prints the adapters of this machine as JSON. A process of its own, because a broken driver may crash it. */
import { findAdapters } from './machine.mjs';

console.log(JSON.stringify(await findAdapters()));
