/**
 * Runs a command: a user's mistake ends with one clear line (exit code 2), a bug of ours with the stack (exit code 1).
 */
import { homedir } from 'node:os';
import { type Command, CommanderError } from 'commander';
import { RomoError } from '../tensor/error.ts';

// Mistakes of the user, as opposed to a lost device or a fault of the program.
const USER = new Set([
  'option',
  'file',
  'data',
  'state-dict',
  'no-adapter',
  'filter',
  'gallery',
  'database',
  'package',
  'memory',
]);

/** A command of the command line: its options, and what it does once they are parsed. */
export interface Program {
  readonly command: Command;
  run(): Promise<void>;
}

/** Runs a program with the arguments of the process; the process then ends by itself. */
export async function main(program: Program): Promise<void> {
  // Whoever reads the output may close it early, as `| head` does. The command still does its work.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  await runProgram(program, process.argv.slice(2));
}

/** Parses the arguments and runs the program. Errors are printed and set the exit code of the process. */
export async function runProgram({ command, run }: Program, words: readonly string[]): Promise<void> {
  try {
    for (const each of [command, ...command.commands]) {
      each.exitOverride().configureOutput({
        outputError: (text, write) => write(`${oneLine(text)} (see --help)\n`),
      });
    }
    command.parse(words.map(expandHome), { from: 'user' });
    await run();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof RomoError) {
      process.stderr.write(`error: ${oneLine(error.message)}\n`);
      process.exitCode = USER.has(error.code) ? 2 : 1;
    } else if (isSystemError(error)) {
      process.stderr.write(`error: ${oneLine(error.message)}${wayOut(error.code)}\n`);
      process.exitCode = 2;
    } else {
      process.stderr.write(`${(error as Error).stack}\n`);
      process.exitCode = 1;
    }
  }
}

/**
 * Replaces `~` by the user's home in `folder:~/x`, `--to=pglite:~/x` and `--out=~/x`, where shells leave it.
 * @throws RomoError `option` for the home of another user
 */
function expandHome(word: string): string {
  const [, before, user, rest] = /^((?:--[\w-]+=)?(?:[a-z][a-z0-9]*:)?)~([^/\\]*)(.*)$/s.exec(word) ?? [];
  if (before === undefined || (before === '' && user !== '')) return word;
  if (user === '') return `${before}${homedir()}${rest}`;
  throw new RomoError(
    'option',
    `${word}: only ~ alone is replaced by a home, not ~${user}`,
    `Write the whole path; for a folder of that name, ${before}./~${user}${rest}.`,
  );
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

/** An error of the operating system, such as a missing permission or a full disk; its message names call and file. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

const WAYS_OUT: Readonly<Record<string, string>> = {
  EACCES: '. Change the permissions, or choose another folder.',
  EPERM: '. Change the permissions, or choose another folder.',
  EROFS: '. Choose a folder that can be written to.',
  ENOSPC: '. Free some space, then run the command again.',
};
const wayOut = (code = ''): string => WAYS_OUT[code] ?? '';
