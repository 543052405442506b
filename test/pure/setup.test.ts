/** Decisions of the set-up: system, package sources, commands; and parsing of test output. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresPlan } from '../../tools/postgres.mjs';
import { judge, parseTotals, summaryLine } from '../../tools/report.mjs';
import {
  adapterKind,
  advice,
  backportsFile,
  backportsLine,
  KNOWN_GOOD,
  type Machine,
  mesaVersions,
  parseOsRelease,
  parseSources,
  plan,
  shellLine,
  withoutDriverVariables,
} from '../../tools/systems.mjs';

const test = suite('setup');

const bookworm = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
`;

const deb822 = `# the mirror of this house
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# a comment inside a stanza
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;

function machine(release: string, sources: { path: string; text: string }[] = [], root = true): Machine {
  return { platform: 'linux', release: parseOsRelease(release), sources: parseSources(sources), root };
}

test('os-release: quoted, bare and missing fields', () => {
  assert.equal(parseOsRelease(bookworm), {
    id: 'debian',
    idLike: [],
    version: '12',
    codename: 'bookworm',
    name: 'Debian GNU/Linux 12 (bookworm)',
  });
  assert.equal(parseOsRelease(`ID=mint\nID_LIKE="ubuntu debian"\n`).idLike, ['ubuntu', 'debian']);
  assert.equal(parseOsRelease('').id, '');
});

test('deb822 sources: folded lines, comments, more stanzas', () => {
  const entries = parseSources([{ path: 'debian.sources', text: deb822 }]);
  assert.is(entries.length, 2);
  assert.equal(entries[0], {
    uri: 'http://mirror.example/debian',
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main', 'contrib'],
    options: { 'signed-by': '/usr/share/keyrings/debian-archive-keyring.gpg' },
  });
  assert.equal(entries[1].suites, ['bookworm-security']);
});

test('deb822 sources: a disabled stanza and one for sources only do not count; an inline key is left out', () => {
  const off = deb822
    .replace('Types: deb deb-src', 'Enabled: no\nTypes: deb')
    .replace('Types: deb\n#', 'Types: deb-src\n#');
  assert.equal(parseSources([{ path: 'a.sources', text: off }]), []);
  const inline = deb822.replace(/Signed-By:.*/, 'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc');
  assert.equal(parseSources([{ path: 'a.sources', text: inline }])[0].options, {});
});

test('one-line sources: options, comments, disabled lines', () => {
  const text = `# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib # why
deb-src http://mirror.example/debian bookworm main
`;
  assert.equal(parseSources([{ path: '/etc/apt/sources.list', text }]), [
    {
      uri: 'http://mirror.example/debian/',
      suites: ['bookworm'],
      components: ['main', 'contrib'],
      options: { arch: 'amd64', 'signed-by': '/k.gpg' },
    },
  ]);
});

test('both formats of one source mean the same', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
  const suites = fc.uniqueArray(word, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(word, suites, suites, fc.boolean(), (host, names, components, signed) => {
      const uri = `http://${host}.example/debian`;
      const key = '/usr/share/keyrings/k.gpg';
      const stanza = `Types: deb\nURIs: ${uri}\nSuites: ${names.join(' ')}\nComponents: ${components.join(' ')}\n`;
      const [folded] = parseSources([{ path: 'x.sources', text: signed ? `${stanza}Signed-By: ${key}\n` : stanza }]);
      const bracket = signed ? `[signed-by=${key}] ` : '';
      const lines = names.map((name) => `deb ${bracket}${uri} ${name} ${components.join(' ')}`).join('\n');
      const entries = parseSources([{ path: 'x.list', text: lines }]);
      assert.equal(
        entries,
        names.map((name) => ({ ...folded, suites: [name] })),
      );
    }),
  );
});

test('Debian 12 without backports: its own mirror and key, a file of its own, then the driver from there', () => {
  const { steps, automatic } = plan(machine(bookworm, [{ path: 'debian.sources', text: deb822 }]));
  assert.ok(automatic);
  const key = 'signed-by=/usr/share/keyrings/debian-archive-keyring.gpg';
  assert.equal(steps, [
    { write: backportsFile, text: `deb [${key}] http://mirror.example/debian bookworm-backports main\n` },
    { run: ['apt-get', 'update'] },
    {
      run: 'apt-get install -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers libvulkan1'.split(' '),
    },
  ]);
});

test('Debian 12 with backports: no file is written; a second set-up finds the file of the first', () => {
  const debian = { path: 'debian.sources', text: deb822 };
  const present = { path: 'x.list', text: 'deb http://mirror.example/debian bookworm-backports main' };
  assert.is(plan(machine(bookworm, [debian, present])).steps.length, 2);
  const first = plan(machine(bookworm, [debian])).steps[0];
  assert.ok(first.write);
  assert.is(plan(machine(bookworm, [debian, { path: backportsFile, text: first.text }])).steps.length, 2);
});

test('Debian 12: without root, or without any mirror to go by, nothing is automatic', () => {
  assert.not(plan(machine(bookworm, [{ path: 'debian.sources', text: deb822 }], false)).automatic);
  assert.not(plan(machine(bookworm, [])).automatic);
  assert.is(backportsLine(parseSources([{ path: 'x.list', text: 'deb cdrom:[d]/ bookworm main' }]), 'bookworm'), null);
});

test('other systems: newer Debian and Ubuntu install their own packages, the rest gets commands or words', () => {
  const own = ['apt-get', 'install', '-y', '--no-install-recommends', 'mesa-vulkan-drivers', 'libvulkan1'];
  for (const release of [
    'ID=debian\nVERSION_ID="13"',
    'ID=debian\nVERSION_CODENAME=sid',
    'ID=ubuntu\nVERSION_ID="24.04"',
  ]) {
    const { steps, automatic } = plan(machine(release));
    assert.ok(automatic, release);
    assert.equal(steps[1], { run: own });
  }
  const byHand: [string, string][] = [
    ['ID=debian\nVERSION_ID="11"', 'apt-get'],
    ['ID=ubuntu\nVERSION_ID="22.04"', 'apt-get'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"', 'apt-get'],
    ['ID=fedora\nVERSION_ID=42', 'dnf'],
    ['ID=rocky\nID_LIKE="rhel centos fedora"', 'dnf'],
    ['ID=arch', 'pacman'],
  ];
  for (const [release, command] of byHand) {
    const { steps, automatic } = plan(machine(release));
    assert.not(automatic, release);
    assert.is(steps[0].run?.[0], command);
  }
  for (const platform of ['darwin', 'win32', 'freebsd']) {
    const { why, steps, automatic } = plan({ ...machine(''), platform });
    assert.equal([steps.length, automatic, why.length], [0, false, 1]);
  }
});

test('the commands in the advice are ones that a shell takes, with sudo where it is needed', () => {
  const source = [{ path: 'debian.sources', text: deb822 }];
  const asUser = advice(machine(bookworm, source, false)).filter((line) => line.startsWith('    '));
  assert.is(asUser.length, 3);
  assert.match(asUser[0], /^ {4}echo 'deb .* bookworm-backports main' \| sudo tee \/etc\/apt\//);
  assert.match(asUser[1], /^ {4}sudo apt-get update$/);
  assert.not.match(advice(machine(bookworm, source)).join('\n'), 'sudo');
  assert.is(shellLine({ run: ['a b', "it's"] }), `'a b' 'it'\\''s'`);
});

test('the variables that redirect the Vulkan loader are taken out, the others stay', () => {
  assert.equal(withoutDriverVariables({ VK_DRIVER_FILES: '/x', VK_ICD_FILENAMES: '/y', HOME: '/h' }), { HOME: '/h' });
});

test('kinds of adapters', () => {
  const kind = (vendor: string, architecture: string, description: string, isFallbackAdapter = false) =>
    adapterKind({ vendor, architecture, description, device: '', isFallbackAdapter });
  assert.is(kind('mesa', 'software', 'llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)', true), 'software');
  assert.is(kind('google', 'swiftshader', 'SwiftShader Device'), 'software');
  assert.is(kind('microsoft', '', 'Microsoft Basic Render Driver'), 'software');
  assert.is(kind('apple', 'metal-3', 'Apple M1 Max'), 'integrated GPU');
  assert.is(kind('intel', 'gen-12lp', 'Intel(R) Iris(R) Xe Graphics'), 'integrated GPU');
  assert.is(kind('intel', 'xe-hpg', 'Intel(R) Arc(TM) A770 Graphics'), 'GPU');
  assert.is(kind('nvidia', 'ada', 'NVIDIA GeForce RTX 4090'), 'GPU');
});

/** What uvu prints at the end of a file. */
const ending = (total: number, passed: number, skipped: number) =>
  ` matmul  • ✘   (${passed} / ${total})\n\n  Total:     ${total}\n\u001b[32m  Passed:    ${passed}\u001b[39m\n` +
  `  Skipped:   ${skipped}\n  Duration:  1.50ms\n\n`;

test('the totals of a test file, coloured or not, the last ones where a test prints some itself', () => {
  assert.equal(parseTotals(ending(3, 2, 1)), { total: 3, passed: 2, skipped: 1 });
  assert.equal(parseTotals(ending(9, 9, 0) + ending(3, 2, 1)), { total: 3, passed: 2, skipped: 1 });
  assert.is(parseTotals('  Total:     3\nkilled'), null);
});

test('every way in which a test file can end is counted', () => {
  const ended = { output: ending(3, 3, 0), code: 0, signal: null, timedOut: false, seconds: 1 };
  const failures = (change: Partial<typeof ended> | { code: null; signal: string }) =>
    judge({ ...ended, ...change }).failed;
  assert.equal(judge(ended), { passed: 3, failed: 0, skipped: 0, problem: null });
  assert.is(failures({ output: ending(3, 1, 0), code: 1 }), 2);
  assert.is(failures({ code: 1 }), 1, 'an exit code alone');
  assert.is(failures({ code: null, signal: 'SIGSEGV' }), 1, 'a crash after the tests');
  assert.is(failures({ output: 'boom', code: 1 }), 1, 'a crash before the tests');
  assert.is(failures({ output: ending(0, 0, 0) }), 1, 'no test at all');
  assert.is(failures({ output: ending(0, 0, 4) }), 0, 'all skipped');
  assert.is(failures({ timedOut: true }), 1, 'a process that does not exit');
  assert.is(summaryLine({ passed: 4, failed: 0, skipped: 0 }), '4 passed, 0 failed');
  assert.is(summaryLine({ passed: 4, failed: 1, skipped: 2 }), '4 passed, 1 failed, 2 skipped');
});

test('Postgres with pgvector: a package where there is one, else built from the source of Debian 13', () => {
  const here = machine(bookworm, [{ path: 'debian.sources', text: deb822 }]);
  const { steps, automatic } = postgresPlan(here, '/build');
  assert.ok(automatic);
  const lines = steps.map((step) => shellLine(step));
  const list =
    'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian trixie main\n';
  assert.is(steps.flatMap((step) => (step.write === undefined ? [] : step.text)).join(), list);
  assert.match(lines.join('\n'), /source --download-only pgvector/);
  assert.match(lines[lines.length - 1], /^make .*pg_config install$/);
  assert.not.ok(postgresPlan(machine(bookworm, [{ path: 'debian.sources', text: deb822 }], false), '/build').automatic);
  assert.not.ok(postgresPlan(machine(bookworm), '/build').automatic);
  const trixie = postgresPlan(machine('ID=debian\nVERSION_ID="13"\n'), '/build');
  assert.match(shellLine(trixie.steps[1]), /postgresql-17 postgresql-17-pgvector$/);
  assert.equal(postgresPlan(machine('ID=fedora\nVERSION_ID=42\n'), '/build').steps, []);
});

test("Mesa's and LLVM's versions are read from an adapter's description", () => {
  const lavapipe = 'llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6) 0.0.1';
  assert.equal(mesaVersions(lavapipe), { mesa: '25.0.7', llvm: '15.0.6' });
  assert.equal(mesaVersions('radv: Mesa 24.2.8'), { mesa: '24.2.8', llvm: null });
  assert.is(mesaVersions('SwiftShader driver 5.0.0'), null);
  assert.equal(mesaVersions(`Mesa ${KNOWN_GOOD.mesa} (LLVM ${KNOWN_GOOD.llvm})`), KNOWN_GOOD);
});

test.run();
