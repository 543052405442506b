/** The commands in this process, as their programs run them: starting a program takes longer than most commands of the tests. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { compareProgram } from '../../src/commands/compare.ts';
import { convertProgram } from '../../src/commands/convert.ts';
import { evaluateProgram } from '../../src/commands/evaluate.ts';
import { exportProgram } from '../../src/commands/export.ts';
import { runProgram } from '../../src/commands/main.ts';
import { searchProgram } from '../../src/commands/search.ts';
import { trainProgram } from '../../src/commands/train.ts';

const PROGRAMS = {
  train: trainProgram,
  evaluate: evaluateProgram,
  compare: compareProgram,
  convert: convertProgram,
  export: exportProgram,
  search: searchProgram,
};
export type CommandName = keyof typeof PROGRAMS;

/** What a command left: the exit code, and what it printed. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Runs `node dist/NAME.js WORDS` here. Only one command can run at a time, because they share the process's streams. */
export async function runCommand(name: CommandName, ...words: string[]): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const restored = (['stdout', 'stderr'] as const).map((stream) => {
    const { write } = process[stream];
    process[stream].write = (text, ...rest) => {
      printed[stream] += typeof text === 'string' ? text : new TextDecoder().decode(text);
      const done = rest.at(-1);
      if (typeof done === 'function') done();
      return true;
    };
    return () => {
      process[stream].write = write;
    };
  });
  try {
    await runProgram(PROGRAMS[name](), words);
    return { code: Number(process.exitCode ?? 0), out: printed.stdout, errors: printed.stderr };
  } finally {
    process.exitCode = undefined;
    for (const restore of restored) restore();
  }
}

/** Commands keep what they render in `folder`. The driver's compiled kernels stay where they are: without them each test compiles anew. */
export function cacheIn(folder: string): void {
  const { XDG_CACHE_HOME, MESA_SHADER_CACHE_DIR } = process.env;
  process.env.MESA_SHADER_CACHE_DIR = MESA_SHADER_CACHE_DIR || XDG_CACHE_HOME || join(homedir(), '.cache');
  process.env.XDG_CACHE_HOME = folder;
}

/** Runs a command that has to succeed. */
export async function succeed(name: CommandName, ...words: string[]): Promise<Ran> {
  const ran = await runCommand(name, ...words);
  assert.is(ran.code, 0, `${name} ${words.join(' ')}\n${ran.errors}\n${ran.out}`);
  return ran;
}

/** The lines of a text that hold something. */
export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
