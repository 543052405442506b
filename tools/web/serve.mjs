/** `npm run web [-- PORT]`: builds the pages into dist/web and serves them to this machine only. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../run.mjs';
import { setUp } from '../setup.mjs';
import { serveFolder } from './server.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
process.chdir(root);
const port = Number(process.argv[2] ?? 8080);
if (!(await setUp({ adapter: false })) || (await run(process.execPath, ['tools/build.mjs'])) !== 0)
  process.exitCode = 1;
else {
  const { url } = await serveFolder(join(root, 'dist', 'web'), port);
  console.log(`${url}  Press Ctrl-C to stop.`);
}
