/** Files for the tests of the readers: those in test/files, and the errors that bad ones must give. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { RomoError } from '../../src/tensor/error.ts';

export const filePath = (name: string) => `test/files/${name}`;

export const fileBytes = (name: string) => new Uint8Array(readFileSync(filePath(name)));

export const textBytes = (text: string) => new TextEncoder().encode(text);

/** Holds an attempt to a RomoError `file` whose message fits the pattern and which names a way out. */
export async function rejects(attempt: () => unknown, pattern: RegExp): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    assert.is((error as RomoError).code, 'file');
    assert.match((error as RomoError).message, pattern);
    assert.ok((error as RomoError).fix.length > 0, `no way out: ${(error as RomoError).message}`);
    return;
  }
  assert.unreachable(`nothing was thrown, expected ${pattern}`);
}
