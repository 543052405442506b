/**
 * Finds Postgres with pgvector, and says how to install it. The tests of galleries start such a server; without one they
 * use PGlite.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian and Ubuntu keep the programs in one folder per version. */
const debian = '/usr/lib/postgresql';

function folders() {
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...versions.map((version) => join(debian, version, 'bin')),
    '/opt/homebrew/bin',
    '/usr/local/bin',
    '/usr/bin',
  ];
}

function hasVector(programs) {
  const version = programs.startsWith(debian) ? programs.split('/')[4] : '';
  const shares = [join('/usr/share/postgresql', version), join(programs, '..', 'share', 'postgresql')];
  return shares.some((share) => existsSync(join(share, 'extension', 'vector.control')));
}

/** The folder with the programs of a Postgres that has pgvector; null if there is none. */
export function findPostgres() {
  return folders().find((folder) => existsSync(join(folder, 'initdb')) && hasVector(folder)) ?? null;
}

/** For each system that packages pgvector, the major version of its Postgres. */
const packaged = { 'debian 13': 17, 'ubuntu 24.04': 16, 'ubuntu 24.10': 16, 'ubuntu 25.04': 17, 'ubuntu 25.10': 17 };

/**
 * What to do on a machine without Postgres and pgvector; see `plan` in systems.mjs.
 * @param folder an existing folder to build in
 * @returns { why, steps, automatic }
 */
export function postgresPlan({ release, sources, root }, folder) {
  const why = [
    'No Postgres with pgvector was found. Without it, galleries are tested with PGlite over the same protocol.',
  ];
  const install = (...packages) => [
    { run: ['apt-get', 'update'] },
    { run: ['apt-get', 'install', '-y', '--no-install-recommends', ...packages] },
  ];
  const version = packaged[`${release.id} ${release.version}`];
  if (version) {
    const steps = install(`postgresql-${version}`, `postgresql-${version}-pgvector`);
    return { why, steps, automatic: root };
  }
  if (release.id !== 'debian' || release.version !== '12') return { why, steps: [], automatic: false };
  const mirror = sources.find((entry) => entry.suites.includes(release.codename) && entry.components.includes('main'));
  if (!mirror) return { why, steps: [], automatic: false };
  why.push("Debian 12 has no pgvector: it is built from Debian 13's source package.");
  const options = Object.entries(mirror.options).map(([name, value]) => `${name}=${value}`);
  const line = `deb-src ${options.length > 0 ? `[${options.join(' ')}] ` : ''}${mirror.uri} trixie main\n`;
  // Separate lists: the system's package sources stay unchanged.
  const list = join(folder, 'trixie.list');
  const places = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
  };
  const apart = Object.entries(places).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const build = ['make', '-s', '-C', join(folder, 'source'), 'with_llvm=no', `PG_CONFIG=${debian}/15/bin/pg_config`];
  const steps = [
    ...install('postgresql-15', 'postgresql-server-dev-15', 'gcc', 'libc6-dev', 'make', 'dpkg-dev'),
    { write: list, text: line },
    { run: ['mkdir', '-p', join(folder, 'lists', 'partial')] },
    { run: ['apt-get', ...apart, 'update'] },
    { run: ['env', '-C', folder, 'apt-get', '-q', ...apart, 'source', '--download-only', 'pgvector'] },
    { run: ['env', '-C', folder, 'sh', '-c', 'dpkg-source -x pgvector_*.dsc source'] },
    { run: build },
    { run: [...build, 'install'] },
  ];
  return { why, steps, automatic: root };
}
