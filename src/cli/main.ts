/** How every command runs and ends: one clear line for a user's mistake (exit code 2), the stack for ours (exit code 1). */
import { type Command, CommanderError } from 'commander';
import { RomoError } from '../tensor/error.ts';

// Mistakes of the user, as opposed to a lost device or a fault of the program.
const USER = new Set(['option', 'file', 'data', 'spec', 'format', 'state-dict', 'no-adapter']);

/** Parses the arguments and runs `action`. Sets the exit code; the process then ends by itself. */
export async function main(command: Command, action: () => Promise<void>): Promise<void> {
  try {
    command.exitOverride().configureOutput({ writeErr: (text) => process.stderr.write(text) });
    command.parse();
    await action();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof RomoError) {
      process.stderr.write(`error: ${error.message}\n`);
      process.exitCode = USER.has(error.code) ? 2 : 1;
    } else {
      process.stderr.write(`${(error as Error).stack}\n`);
      process.exitCode = 1;
    }
  }
}
