/** What a gallery needs of a database, whether it is a server or embedded, and what its errors mean to a user. */
import { RomoError } from '../../tensor/error.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement. Parameters are texts, numbers, booleans, or arrays of texts. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface Connection {
  /** what people call it, without a password */
  readonly name: string;
  /** All that `work` does is kept, or nothing. Its errors, and those of the connection, come as they are. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Postgres's five characters, or those of the system for a socket. */
const codeOf = (cause: unknown): string => String((cause as { code?: unknown } | null)?.code ?? '');
const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message || codeOf(cause) : String(cause));

const SOCKET = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT|ENOTFOUND|EAI_AGAIN)$/;
// Class 08: connection; 57P01 to 57P03: it shuts down, crashed, starts up.
const STATE = /^(08...|57P0[123])$/;
// What `pg` says without a code when the server is gone.
const WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Is the connection gone, or the server? */
export const isLost = (cause: unknown): boolean =>
  SOCKET.test(codeOf(cause)) || STATE.test(codeOf(cause)) || WORDS.test(textOf(cause));

/**
 * May the same call succeed a little later? 53300: all connections are taken; 40...: there was a conflict with another
 * transaction.
 */
export const isPassing = (cause: unknown): boolean => isLost(cause) || /^(53300|40001|40P01)$/.test(codeOf(cause));

/**
 * An error of a database in a user's words.
 * @param isOpening nothing has been written through this connection yet
 */
export function explain(name: string, cause: unknown, isOpening: boolean): RomoError {
  if (cause instanceof RomoError) return cause;
  const code = codeOf(cause);
  const text = textOf(cause);
  const error = (what: string, fix: string) => new RomoError('database', `${name}: ${what}`, fix);
  if (isLost(cause)) {
    return isOpening
      ? error(`no server answers (${text})`, 'Start it, or correct host and port.')
      : error(
          `the connection is lost (${text})`,
          'Run the same again when the server is back: nothing is half-written, what is written stays.',
        );
  }
  if (code === '28P01' || code === '28000' || /^SASL/.test(text)) {
    return error(`refused: ${text}`, 'Correct user and password: in the URL, or in PGUSER and PGPASSWORD.');
  }
  if (code === '3D000') return error(text, 'Create it with createdb NAME first.');
  if (code === '42501') return error(text, 'Connect as a user who may, or have the gallery made by one.');
  return error(code ? `${text} (SQLSTATE ${code})` : text, '');
}

/** A database that has no pgvector to create. @param cause of `create extension` */
export function explainExtension(name: string, cause: unknown, major: string): RomoError | null {
  const missing = ['0A000', '58P01', '42704'].includes(codeOf(cause));
  if (!missing && codeOf(cause) !== '42501') return null;
  const fix = missing
    ? `On the server, install it: apt-get install postgresql-${major}-pgvector (from apt.postgresql.org; Debian 13 and newer ` +
      'have it themselves), or build it: https://github.com/pgvector/pgvector. Then run this again.'
    : "As superuser, once: psql -d DATABASE -c 'create extension vector'. Then run this again.";
  return new RomoError('database', `${name} has no pgvector (${textOf(cause)})`, fix);
}

/** What is thrown where an optional package is not installed. */
export function explainPackage(to: string, packages: string, cause: unknown): unknown {
  const isMissing = /ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND/.test(codeOf(cause));
  if (!isMissing) return cause;
  return new RomoError('package', `${to} needs packages that are not installed`, `Type npm install ${packages} first.`);
}
