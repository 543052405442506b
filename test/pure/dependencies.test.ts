/** Third-party packages: listed with licence in docs/dependencies.md, pinned by hash, with few install scripts. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('dependencies');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { dependencies, devDependencies, optionalDependencies = {}, scripts } = json('package.json');
const named = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
const text = readFileSync('docs/dependencies.md', 'utf8');
const rows = new Map(
  [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, name, ...cells]) => [name, cells] as const,
  ),
);

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
}
const locked: Record<string, Locked> = json('package-lock.json').packages;

test('each package has a row with its licence, and no row is left over', () => {
  assert.equal([...rows.keys()].sort(), [...named].sort());
  for (const [name, [, licence]] of rows) {
    const own = locked[`node_modules/${name}`].license ?? '';
    assert.ok(own.startsWith('SEE LICENSE') || licence.startsWith(own), `${name}: ${own}, not ${licence}`);
  }
});

test('the library brings three packages, and runs nothing where it is installed', () => {
  assert.equal(Object.keys(dependencies).sort(), ['@webgpu/types', 'earcut', 'webgpu']);
  assert.equal(
    Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name)),
    [],
  );
});

test('packages are fixed by hash, and those that run a script at installation are known', () => {
  const entries = Object.entries(locked).filter(([path]) => path !== '');
  for (const [path, { integrity, resolved }] of entries) {
    assert.match(integrity ?? '', /^sha512-/, path);
    assert.match(resolved ?? 'https://registry.npmjs.org/', /^https:\/\/registry\.npmjs\.org\//, path);
  }
  const running = entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  for (const path of running) {
    assert.ok(text.includes(`\`${path.replace(/^.*node_modules\//, '')}\` (script)`), `${path} runs a script`);
  }
});

test.run();
