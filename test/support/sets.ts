/** Data sets for tests: those of test/sets, written by tools/oracle/sets.py, and folders made for one test. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openData } from '../../src/data/open.ts';
import type { CheckedData, DataOptions } from '../../src/data/types.ts';
import { RomoError } from '../../src/tensor/error.ts';

export const setPath = (name: string) => `test/sets/${name}`;

/** As many objects as there are. */
export const everything: DataOptions = {
  imageSize: 16,
  points: 32,
  train: 100,
  test: 100,
  seed: 1,
  fewerWillDo: { train: true, test: true },
};

/** Opens a set stored in files, passes it to `body` and closes it afterwards. */
export async function withSet<T>(
  spec: string,
  options: Partial<DataOptions>,
  body: (data: CheckedData) => Promise<T>,
): Promise<T> {
  const data = (await openData(spec, { ...everything, ...options })) as CheckedData;
  try {
    return await body(data);
  } finally {
    await data.close();
  }
}

/** The error of opening a set; fails if there is none. */
export async function refusalOf(spec: string, options: Partial<DataOptions> = {}): Promise<RomoError> {
  try {
    await withSet(spec, options, async () => {});
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    return error as RomoError;
  }
  return assert.unreachable(`${spec} was opened`) as never;
}

/** A folder that exists while `body` runs; its files are made from text or bytes, or copied from PATH by `=PATH`. */
export async function withFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'romo-set-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      if (typeof content === 'string' && content.startsWith('=')) cpSync(content.slice(1), path, { recursive: true });
      else {
        cpSync('test/sets/folder/README.txt', path); // creates the parent folders
        writeFileSync(path, content);
      }
    }
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
