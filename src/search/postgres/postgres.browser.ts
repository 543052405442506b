/** Pages cannot reach a Postgres server: they have no sockets. For Node: postgres.node.ts. */
import { RomoError } from '../../tensor/error.ts';
import type { Connection } from './connection.ts';

/** @throws RomoError `option` */
export async function connectPostgres(_url: URL): Promise<Connection> {
  throw new RomoError(
    'option',
    'a page cannot connect to postgres:',
    'Use pglite:idb://NAME, or send requests to your own server.',
  );
}
