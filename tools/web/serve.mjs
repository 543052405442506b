/**
 * The pages, which are built into dist/web first.
 *
 *   npm run web [-- PORT]       serves them to this machine only
 *   npm run web -- --out DIR    writes them into a folder, for any static host; see docs/hosting.md
 */
import { cpSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../run.mjs';
import { setUp } from '../setup.mjs';
import { serveFolder } from './server.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const built = join(root, 'dist', 'web');

function readOptions() {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  const [port = '8080', more] = positionals;
  if (more !== undefined || !/^\d+$/.test(port)) throw new Error(`${more ?? port} is neither a port nor --out DIR`);
  if (values.out === '') throw new Error('--out needs the name of a folder');
  return { out: values.out === undefined ? null : resolve(values.out), port: Number(port) };
}

try {
  const { out, port } = readOptions();
  process.chdir(root);
  if (!(await setUp({ adapter: false })) || (await run(process.execPath, ['tools/build.mjs'])) !== 0) {
    process.exitCode = 1;
  } else if (out) {
    cpSync(built, out, { recursive: true });
    console.log(`The pages are in ${out}. docs/hosting.md says how to serve them.`);
  } else {
    const { url } = await serveFolder(built, port);
    console.log(`${url}  Press Ctrl-C to stop.`);
  }
} catch (error) {
  console.error(`web: ${error.message}`);
  process.exitCode = 2;
}
