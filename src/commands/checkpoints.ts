/**
 * Checkpoints in a run folder: the latest and the one before it. A file is written under a temporary name, synced, then
 * renamed, and carries a checksum of all its bytes: whenever the program or the machine stops, one of the two is
 * intact.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../files/disk.ts';
import type { Position } from '../romo/method/stage_state.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../romo/run/checkpoint.ts';
import { RomoError } from '../tensor/error.ts';

const LATEST = 'checkpoint.safetensors';
const PREVIOUS = 'checkpoint.previous.safetensors';

// Placeholder: the checksum is computed while it is in the file.
const NO_CHECKSUM = '0'.repeat(64);
const CHECKSUM_KEY = '"sha256":"';

// Without --checkpoint-every, checkpoints within an epoch are this far apart, and further where they would take over
// 1/50 of the time.
const SECONDS_BETWEEN = 60;
const COST_FACTOR = 50;

/** Decides when a checkpoint is due, and writes it while training continues. */
export class CheckpointWriter {
  private writing: Promise<void> = Promise.resolve();
  private last = performance.now();
  private milliseconds = 0;

  /** @param every steps of an epoch between two checkpoints; by time if null */
  constructor(
    private readonly folder: string,
    private readonly every: number | null,
  ) {}

  /** Always at the start of a stage and the end of an epoch; within an epoch at intervals. */
  isDue({ step }: Pick<Position<unknown>, 'step'>): boolean {
    if (step === 0) return true;
    if (this.every !== null) return step % this.every === 0;
    return performance.now() - this.last > Math.max(1000 * SECONDS_BETWEEN, COST_FACTOR * this.milliseconds);
  }

  /**
   * Starts writing what `take` reads; resolves when it is read. An error of the previous write is thrown here.
   * @param before what must be on disk first
   */
  async save(take: () => Promise<Checkpoint>, before: () => Promise<void>): Promise<void> {
    await this.writing;
    const start = performance.now();
    const checkpoint = await take();
    this.writing = before()
      .then(() => write(this.folder, checkpoint))
      .then(() => {
        this.last = performance.now();
        this.milliseconds = this.last - start;
      });
    this.writing.catch(() => {}); // thrown by the next save or by `settled`
  }

  /** Resolves when the last checkpoint is on disk. */
  settled(): Promise<void> {
    return this.writing;
  }
}

async function write(folder: string, checkpoint: Checkpoint): Promise<void> {
  const [latest, previous] = [join(folder, LATEST), join(folder, PREVIOUS)];
  const bytes = encodeCheckpoint(checkpoint, { sha256: NO_CHECKSUM }) as Uint8Array<ArrayBuffer>;
  const digest = await crypto.subtle.digest('SHA-256', bytes); // off this thread
  bytes.set(Buffer.from(Buffer.from(digest).toString('hex')), checksumStart(bytes));
  try {
    await writeWhole(latest, bytes, { previous });
  } catch (cause) {
    throw new RomoError(
      'file',
      `cannot write the checkpoint ${latest}: ${(cause as Error).message}`,
      `The previous checkpoint is intact. Make room there; node dist/train.js --resume ${folder} then continues the run.`,
    );
  }
}

/** Offset of the checksum; -1 in a file without one. */
function checksumStart(bytes: Uint8Array): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(CHECKSUM_KEY);
  return at < 0 ? at : at + CHECKSUM_KEY.length;
}

function readOne(path: string): Checkpoint {
  const bytes = readFileSync(path);
  const start = checksumStart(bytes);
  const text = Buffer.from(bytes.subarray(start, start + NO_CHECKSUM.length)).toString();
  if (start >= 0) bytes.write(NO_CHECKSUM, start);
  if (start < 0 || createHash('sha256').update(bytes).digest('hex') !== text) {
    throw new RomoError('file', `${path} is damaged: its checksum is wrong`, '');
  }
  return decodeCheckpoint(bytes, path);
}

/**
 * The latest intact checkpoint of a folder, or null if there is none yet. A damaged one is removed and reported.
 * @throws RomoError `file` if all of them are damaged
 */
export function readCheckpoint(folder: string, say: (text: string) => void): Checkpoint | null {
  const paths = [LATEST, PREVIOUS].map((name) => join(folder, name)).filter((path) => existsSync(path));
  const faults: string[] = [];
  for (const path of paths) {
    try {
      const checkpoint = readOne(path);
      // If it stayed, the next checkpoint would replace the intact one.
      for (const damaged of paths.slice(0, faults.length)) rmSync(damaged);
      if (faults.length > 0) say(`${faults.join('; ')}; continuing from the previous one, ${path}`);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof RomoError)) throw error;
      faults.push(error.message.replace(/\.$/, ''));
    }
  }
  if (faults.length === 0) return null;
  throw new RomoError('file', faults.join('; '), 'Start the run again with --overwrite.');
}

/** Removes the checkpoints of a finished run: its model and figures are written. */
export function removeCheckpoints(folder: string): void {
  for (const name of [LATEST, PREVIOUS]) rmSync(join(folder, name), { force: true });
}
