/** Finding Postgres with pgvector for the tests of galleries, and getting both on Debian. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the programs of Debian's and others' packages are, newest first. */
function folders() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...versions.map((version) => join(debian, version, 'bin')),
    '/usr/pgsql/bin',
    '/opt/homebrew/bin',
    '/usr/bin',
  ];
}

/** The folder with initdb and pg_ctl; null where there is none. */
export const findPostgres = () => folders().find((folder) => existsSync(join(folder, 'initdb'))) ?? null;

/** Has that Postgres the extension? */
export function hasVector(programs) {
  const version = /postgresql\/(\d+)\//.exec(programs)?.[1] ?? '';
  const shares = [
    `/usr/share/postgresql/${version}`,
    join(programs, '..', 'share'),
    join(programs, '..', 'share', 'postgresql'),
  ];
  return shares.some((share) => existsSync(join(share, 'extension', 'vector.control')));
}
