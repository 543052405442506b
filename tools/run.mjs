/** Starts programs from the tools: in the same terminal, with signals forwarded and an exit code in every case. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program to its end with this process's input and output.
 * @returns its exit code; 128 + n if signal n ended it, as in shells; 127 if it could not be started
 */
export function run(command, commandArguments, environment = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments, { stdio: 'inherit', env: environment });
    // A terminal also sends Ctrl-C to the child; forwarding it would make it arrive twice.
    const passOn = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, passOn);
    const end = (code) => {
      for (const signal of signals) process.off(signal, passOn);
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      end(127);
    });
    child.on('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** Runs `npm` with arguments; on Windows npm is a script, which only a shell can start. */
export function npm(...npmArguments) {
  return process.platform === 'win32'
    ? run('cmd.exe', ['/d', '/s', '/c', 'npm', ...npmArguments])
    : run('npm', npmArguments);
}
