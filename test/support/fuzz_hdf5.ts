/**
 * Reads damaged HDF5 files from `FROM` up to `TO` and prints the number of the next one. It stops after the first file
 * at which the library gives up, because the process cannot read others after that. `node fuzz_hdf5.js NAME FROM TO`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { damaged, edits, survives } from './damage.ts';
import { fileBytes } from './files.ts';
import { readAll } from './read_hdf5.ts';

async function campaign(name: string, from: number, to: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'romo-fuzz-'));
  const original = fileBytes(name);
  let gaveUp = false;
  let number = from;
  try {
    for (; number < to && !gaveUp; number++) {
      const [changes] = fc.sample(edits, { numRuns: 1, seed: number });
      const path = join(folder, String(number));
      const bytes = damaged(original, changes);
      writeFileSync(path, bytes);
      await survives(bytes, () =>
        readAll(path).catch((error: Error) => {
          gaveUp = error.message.includes('aborted');
          throw error;
        }),
      ).catch((cause) => {
        throw new Error(`${name}, file ${number}: ${cause.message}`, { cause });
      });
      rmSync(path);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(JSON.stringify({ next: number, gaveUp }));
}

const [name, from, to] = process.argv.slice(2);
await campaign(name, Number(from), Number(to));
