/** The processes of the bench: installing the peers, finding PyTorch, running one workload of one implementation. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { npm } from '../tools/run.mjs';
import { buildTfjs } from './build.mjs';

const LIMIT_SECONDS = 900; // the first compilation on a software adapter takes minutes

/** Installs the packages of bench/package.json, without install scripts, which would download unneeded files. */
export async function installPeers() {
  const record = 'bench/node_modules/.package-lock.json';
  if (!existsSync(record) || statSync(record).mtimeMs < statSync('bench/package-lock.json').mtimeMs) {
    console.log('Installing the peers of bench/package.json into bench/node_modules');
    const code = await npm('ci', '--prefix', 'bench', '--ignore-scripts', '--no-fund', '--no-audit');
    if (code !== 0)
      throw new Error('npm ci failed, see above. Run npm run bench -- --peers none to bench without peers.');
  }
  await buildTfjs();
}

let python;

/** The first Python with torch: ROMO_PYTHON, python3 on the path, the system's. */
export function findPython() {
  if (python !== undefined) return python;
  const script = 'import torch; print(torch.__version__, torch.cuda.is_available())';
  python = null;
  for (const command of [process.env.ROMO_PYTHON, 'python3', '/usr/bin/python3']) {
    if (!command) continue;
    const { status, stdout } = spawnSync(command, ['-c', script], { encoding: 'utf8' });
    if (status !== 0) continue;
    const [version, cuda] = stdout.trim().split(' ');
    python = { command, version, cuda: cuda === 'True' };
    break;
  }
  return python;
}

function commandOf(implementation, workload, { adapter, seconds }) {
  if (implementation.startsWith('pytorch')) {
    const device = implementation === 'pytorch' ? 'cpu' : 'cuda';
    const order = { workload, device, tf32: implementation.endsWith('tf32'), seconds: Number(seconds) };
    return [findPython().command, ['bench/peers/pytorch.py', JSON.stringify(order)]];
  }
  const words = ['bench/worker.mjs', implementation, workload.name, '--seconds', seconds];
  return [process.execPath, adapter ? [...words, '--adapter', adapter] : words];
}

/** Runs a worker to its end and returns its report, or `{ error }` if it fails. Adds the time to READY. */
export function startWorker(implementation, workload, { environment, ...options }) {
  const [command, words] = commandOf(implementation, workload, options);
  return new Promise((resolve) => {
    const begin = performance.now();
    const child = spawn(command, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let result = null;
    let ready = 0;
    let complaints = '';
    const stop = () => child.kill('SIGKILL');
    process.once('exit', stop);
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      stop();
    }, LIMIT_SECONDS * 1000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'READY') ready = performance.now() - begin;
      if (line.startsWith('RESULT ')) result = JSON.parse(line.slice('RESULT '.length));
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaints = (complaints + text).slice(-2000);
    });
    child.on('error', (error) => {
      complaints += error.message;
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      process.off('exit', stop);
      const ending = timedOut ? `took longer than ${LIMIT_SECONDS} s` : `ended with ${signal ?? code}: ${complaints}`;
      const report = result ?? { error: ending };
      resolve(ready > 0 ? { ...report, first: ready, times: [ready] } : report);
    });
  });
}
