/** What a gallery needs from a database, on a server or embedded, and what the database's errors mean to a user. */
import { RomoError } from '../../tensor/error.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement. Parameters are strings, numbers, booleans, or arrays of strings. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface Connection {
  /** for display, without the password */
  readonly name: string;
  /** Commits everything that `work` does, or nothing. Rethrows errors of `work` and the connection unchanged. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Postgres's five-character SQLSTATE, or the system's code of a socket error. */
const codeOf = (cause: unknown): string => String((cause as { code?: unknown } | null)?.code ?? '');
function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { detail } = cause as { detail?: unknown };
  // Of a shard that cannot be reached, the detail has host and port.
  return typeof detail === 'string' && /^08/.test(codeOf(cause))
    ? `${cause.message}: ${detail}`
    : cause.message || codeOf(cause);
}

const SOCKET = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT|ENOTFOUND|EAI_AGAIN)$/;
// Class 08: connection errors; 57P01 to 57P03: the server shuts down, crashed or starts up.
const STATE = /^(08...|57P0[123])$/;
// Messages of `pg` that have no code when the server is gone.
const WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Is the connection lost, or the server gone? */
const isLost = (cause: unknown): boolean =>
  SOCKET.test(codeOf(cause)) || STATE.test(codeOf(cause)) || WORDS.test(textOf(cause));

/**
 * May the same call succeed a little later? 53300: all connections are taken; 40...: there was a conflict with another
 * transaction.
 */
const isPassing = (cause: unknown): boolean => isLost(cause) || /^(53300|40001|40P01)$/.test(codeOf(cause));

/** How long a call waits for a server that does not answer, in ms: enough to restart it. */
const RESTART = 6300;
/** The same for a server that answers that it is starting: after a crash it first recovers what its log has. */
const RECOVERY = 60_000;
const LONGEST_WAIT = 3200; // ms between attempts; the first is 100, then twice the last

const clock = { now: () => performance.now(), sleep: (ms: number) => new Promise((done) => setTimeout(done, ms)) };

/** Runs `work` again while the connection is lost or another transaction conflicts. */
export async function retried<T>(work: () => Promise<T>, { now, sleep } = clock): Promise<T> {
  const begin = now();
  for (let wait = 100; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    try {
      return await work();
    } catch (cause) {
      const patience = codeOf(cause) === '57P03' ? RECOVERY : RESTART;
      if (!isPassing(cause) || now() + wait - begin > patience) throw cause;
      await sleep(wait);
    }
  }
}

/**
 * Translates a database error for the user.
 * @param isOpening whether the gallery is only being opened, so that nothing has been written yet
 */
export function explain(name: string, cause: unknown, isOpening: boolean): RomoError {
  if (cause instanceof RomoError) return cause;
  const code = codeOf(cause);
  const text = textOf(cause);
  const error = (what: string, fix: string) => new RomoError('database', `${name}: ${what}`, fix);
  if (isLost(cause)) {
    return isOpening
      ? error(`no server answers (${text})`, 'Start it, or correct the host and the port.')
      : error(
          `the connection is lost (${text})`,
          'Run it again when the server is back: nothing is half-written, and committed entries are kept.',
        );
  }
  if (code === '28P01' || code === '28000' || /^SASL/.test(text)) {
    return error(`refused: ${text}`, 'Correct the user and the password, in the URL or in PGUSER and PGPASSWORD.');
  }
  if (code === '3D000') return error(text, 'Run createdb NAME first.');
  if (/halfvec/.test(text) && code === '42704')
    return error(text, 'Update pgvector to 0.7 or newer, or leave --half out.');
  if (code === '42501') return error(text, 'Connect as a user with this permission, or let one create the gallery.');
  return error(code ? `${text} (SQLSTATE ${code})` : text, '');
}

/** Creates the extension pgvector. @throws RomoError `database` that says why it cannot be created */
export async function createExtension(name: string, query: Query): Promise<void> {
  const [{ server_version: version }] = await query('show server_version');
  try {
    await query('create extension if not exists vector');
  } catch (cause) {
    throw explainExtension(name, cause, String(version).split('.')[0]) ?? cause;
  }
}

/** Explains why pgvector cannot be created, or returns null. @param cause of `create extension` */
function explainExtension(name: string, cause: unknown, major: string): RomoError | null {
  const missing = ['0A000', '58P01', '42704'].includes(codeOf(cause));
  if (!missing && codeOf(cause) !== '42501') return null;
  const fix = missing
    ? `Install it on the server: apt-get install postgresql-${major}-pgvector (from apt.postgresql.org; Debian 13 and newer ` +
      'include it), or build it: https://github.com/pgvector/pgvector. Then try again.'
    : "As superuser, run this once: psql -d DATABASE -c 'create extension vector'. Then try again.";
  return new RomoError('database', `${name} has no pgvector (${textOf(cause)})`, fix);
}

/** Explains that an optional package is missing; returns any other error unchanged. */
export function explainPackage(to: string, packages: string, cause: unknown): unknown {
  const isMissing = /ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND/.test(codeOf(cause));
  if (!isMissing) return cause;
  return new RomoError('package', `${to} needs packages that are not installed`, `Run npm install ${packages} first.`);
}
