/** A Postgres server for tests and benchmarks on 127.0.0.1, in a temporary folder; without Postgres, PGlite over the same protocol. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgres } from './postgres.mjs';

export interface Server {
  /** true for a real server, false for PGlite */
  readonly isReal: boolean;
  /** postgres://USER:PASSWORD@HOST:PORT, without a database */
  readonly url: string;
  /** Stops it like a crash: nothing in progress is finished. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

/** A free port. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Postgres refuses to run as root; root starts it as the user postgres, or else as nobody. */
function otherUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const uid = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout.trim() || 65534);
  return { uid, gid: uid === 65534 ? 65534 : Number(spawnSync('id', ['-g', 'postgres'], { encoding: 'utf8' }).stdout) };
}

export async function startServer(): Promise<Server> {
  const programs = findPostgres();
  if (programs) return startReal(programs);
  console.log('No Postgres with pgvector on this machine: using PGlite, which speaks the same protocol.');
  return startEmbedded();
}

async function startReal(programs: string): Promise<Server> {
  const user = otherUser();
  const folder = mkdtempSync(join(tmpdir(), 'romo-postgres-'));
  const password = randomBytes(8).toString('hex');
  const secret = join(folder, 'password');
  writeFileSync(secret, password);
  if (user.uid !== undefined && user.gid !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(secret, user.uid, user.gid);
  }
  const data = join(folder, 'data');
  const port = await freePort();
  const call = async (program: string, ...words: string[]): Promise<void> => {
    // The server that pg_ctl starts keeps its output open, so pg_ctl sends it to a file.
    const child = spawn(join(programs, program), words, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (text) => {
      complaints += text;
    });
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve));
    child.stderr.destroy();
    if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${complaints}`);
  };
  await call('initdb', '-D', data, '-U', 'romo', '-A', 'scram-sha-256', '--pwfile', secret, '--no-sync', '-E', 'UTF8');
  const options = `-p ${port} -k '${folder}' -c listen_addresses=127.0.0.1 -c shared_buffers=256MB -c max_wal_size=4GB`;
  const start = () => call('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start');
  const stop = (mode: string) => call('pg_ctl', '-D', data, '-w', '-m', mode, 'stop');
  await start();
  return {
    isReal: true,
    url: `postgres://romo:${password}@127.0.0.1:${port}`,
    crash: () => stop('immediate'),
    start,
    remove: async () => {
      await stop('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startEmbedded(): Promise<Server> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector } = await import('@electric-sql/pglite-pgvector');
  const { PGLiteSocketServer } = await import('@electric-sql/pglite-socket');
  const database = await PGlite.create({ extensions: { vector } });
  const port = await freePort();
  const listen = () => new PGLiteSocketServer({ db: database, port, host: '127.0.0.1', maxConnections: 20 });
  let server = listen();
  await server.start();
  return {
    isReal: false,
    url: `postgres://postgres:postgres@127.0.0.1:${port}`,
    crash: () => server.stop(),
    start: async () => {
      server = listen();
      await server.start();
    },
    remove: async () => {
      await server.stop();
      await database.close();
    },
  };
}
