/**
 * A gallery's connection to a Postgres server, through the package `pg`, which is loaded when one is asked for. A
 * page's: postgres.browser.ts.
 */
import { RomoError } from '../../tensor/error.ts';
import { type Connection, explainPackage, type Query } from './connection.ts';

/** Largest number of connections; a lost one is replaced on the next call. */
const CONNECTIONS = 4;
const PATIENCE = 10_000; // ms for a server to accept a connection

/** Connects on the first call. @param url without RoMo's own options */
export async function connectPostgres(url: URL): Promise<Connection> {
  const { default: pg } = await import('pg').catch((cause) => {
    throw explainPackage('postgres:', 'pg', cause);
  });
  const shown = new URL(url);
  shown.password = '';
  const name = shown.href.replace(/\?.*$/, '');
  let pool: import('pg').Pool;
  try {
    pool = new pg.Pool({
      connectionString: url.href,
      max: CONNECTIONS,
      connectionTimeoutMillis: PATIENCE,
      keepAlive: true,
      application_name: 'romo',
    });
  } catch (cause) {
    throw new RomoError('option', `${name}: ${(cause as Error).message}`, 'Write postgres://USER@HOST:PORT/DATABASE.');
  }
  // A connection may be lost while it is idle (the pool takes another), or under a query (which fails). Both are told
  // here too, and an event of this name without a listener would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    name,
    async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const result = await work(async (text, values) => (await client.query(text, values as unknown[])).rows);
        await client.query('commit');
        client.release();
        return result;
      } catch (cause) {
        client.release(true); // closes it, so that the server rolls back
        throw cause;
      }
    },
    close: () => pool.end(),
  };
}
