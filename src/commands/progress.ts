/** Progress of a long piece of work: a bar on a terminal, a line every ten seconds elsewhere. */
import { SingleBar } from 'cli-progress';

const BETWEEN = 10_000; // ms

export class Progress {
  private readonly bar: SingleBar | null;
  private last = performance.now();

  /** @param what such as `reading`; @param of what is counted, such as `pairs` */
  constructor(
    private readonly what: string,
    private readonly of: string,
    private readonly quiet: boolean,
  ) {
    const format = `${what} [{bar}] {value} of {total} ${of} | {eta_formatted} left`;
    this.bar =
      process.stdout.isTTY && !quiet ? new SingleBar({ format, hideCursor: true, clearOnComplete: true }) : null;
  }

  update(done: number, total: number): void {
    if (this.bar) {
      if (!this.bar.isActive) this.bar.start(total, done);
      this.bar.update(done);
    } else if (!this.quiet && performance.now() - this.last > BETWEEN) {
      this.last = performance.now();
      process.stderr.write(`${this.what}: ${done} of ${total} ${this.of}\n`);
    }
  }

  stop(): void {
    this.bar?.stop();
  }
}
