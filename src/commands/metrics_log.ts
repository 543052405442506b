/** metrics.jsonl of a run: the reports of training, one line of JSON per entry. */
import { closeSync, fdatasync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { RomoError } from '../tensor/error.ts';

export class MetricsLog {
  private readonly file: number;

  /**
   * @param bytes bytes of the file to keep: later lines belong to steps that will be repeated
   * @param say called if the file is shorter than that
   */
  constructor(
    private readonly path: string,
    public bytes: number,
    say: (text: string) => void,
  ) {
    this.file = openSync(path, 'a');
    const { size } = statSync(path);
    if (size < bytes) say(`warning: ${path} has lost lines: ${size} bytes instead of ${bytes}`);
    this.bytes = Math.min(size, bytes);
    ftruncateSync(this.file, this.bytes);
  }

  add(entry: object): void {
    const line = `${JSON.stringify(entry)}\n`;
    try {
      writeFileSync(this.file, line);
      this.bytes += Buffer.byteLength(line);
    } catch (cause) {
      throw new RomoError(
        'file',
        `cannot write ${this.path}: ${(cause as Error).message}`,
        `Make room there; node dist/train.js --resume ${dirname(this.path)} then continues the run.`,
      );
    }
  }

  /** Syncs the lines so far to disk. */
  sync(): Promise<void> {
    return promisify(fdatasync)(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}
