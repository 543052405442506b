/** The folder with initdb and pg_ctl of a Postgres that has pgvector, of one that has not, or null. */
export function findPostgres(): string | null;
export function hasVector(programs: string): boolean;
