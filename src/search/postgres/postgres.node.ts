/** Connects to a Postgres server with the package `pg`, loaded on first use. For pages: postgres.browser.ts. */
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
  // A connection may be lost while idle (the pool opens another) or during a query (which fails). Both also emit an
  // event here, and without a listener it would end the process.
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
