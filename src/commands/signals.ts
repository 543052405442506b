/**
 * Ctrl-C and other signals: the first asks training to stop where nothing is lost, the second ends the program at once.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// One key press may arrive twice: from the terminal, and passed on by npm.
const SAME_PRESS = 250; // ms

/** Listens from its construction until `end`. */
export class StopRequest {
  /** the exit code for the signal, by the convention of shells; null until one arrives */
  exitCode: number | null = null;
  private since = 0;

  /** @param say tells the user what happens next */
  constructor(private readonly say: (text: string) => void) {
    for (const signal of SIGNALS) process.on(signal, this.handle);
  }

  private readonly handle = (signal: NodeJS.Signals): void => {
    if (this.exitCode !== null) {
      if (performance.now() - this.since > SAME_PRESS) process.exit(this.exitCode);
      return;
    }
    this.exitCode = 128 + constants.signals[signal];
    this.since = performance.now();
    if (signal === 'SIGHUP') process.stdout.on('error', () => {}); // the terminal is gone; the checkpoint is still needed
    this.say('stopping after this step; once more to stop at once');
  };

  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.handle);
  }
}
