/** A connection to Postgres inside this process (PGlite: WebAssembly), in Node or in a page. */
import { takeFolder } from '#folder';
import { type Connection, explainPackage, type Query } from './connection.ts';

/** @param place a folder (Node); `idb://NAME`, a database that the browser stores; `memory://`, lost when closed */
export async function connectPglite(place: string): Promise<Connection> {
  const packages = '@electric-sql/pglite @electric-sql/pglite-pgvector';
  const [{ PGlite }, { vector }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite-pgvector'),
  ]).catch((cause) => {
    throw explainPackage('pglite:', packages, cause);
  });
  const isFolder = !/^(idb|memory):\/\//.test(place);
  const folder = isFolder ? await takeFolder(place) : { path: place, release: async () => {} };
  try {
    const database = await PGlite.create({ dataDir: folder.path, extensions: { vector } });
    return {
      name: `pglite:${place}`,
      transaction: <T>(work: (query: Query) => Promise<T>) =>
        database.transaction((transaction) =>
          work(async (text, values) => (await transaction.query<Record<string, unknown>>(text, values?.slice())).rows),
        ) as Promise<T>,
      close: async () => {
        await database.close();
        await folder.release();
      },
    };
  } catch (cause) {
    await folder.release();
    throw cause;
  }
}
