/** The package and the command lines in Deno: it finds its own entry points, and trains to the bytes that Node trains to. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { denoWords, findDeno } from '../../tools/deno.mjs';

const test = suite('program');
const folder = mkdtempSync(join(tmpdir(), 'romo-deno-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, words: readonly string[], cwd = process.cwd()): string {
  const { status, stdout, stderr } = spawnSync(program, [...words], { cwd, encoding: 'utf8', timeout: 240_000 });
  assert.is(status, 0, `${words.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

const inDeno = (words: readonly string[], cwd?: string): string => {
  const [script, ...more] = words;
  return run(findDeno() as string, denoWords(script, ...more), cwd);
};

test('a project in Deno gets the entry points for Deno, and runs the example of the README', () => {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'node_modules'), { recursive: true });
  symlinkSync(resolve('.'), join(project, 'node_modules', 'romo'), 'dir');
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "dependencies": { "romo": "*" } }');
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const names = Object.keys(exports).filter((name) => exports[name].deno);
  const list = names.map((name) => `import.meta.resolve(${JSON.stringify(`romo${name.slice(1)}`)})`);
  writeFileSync(join(project, 'entries.mjs'), `console.log([${list}].join('\\n'))`);
  const found = inDeno(['entries.mjs'], project).trim().split('\n');
  assert.ok(names.length >= 6 && found.length === names.length);
  for (const [i, name] of names.entries())
    assert.ok(found[i].endsWith(exports[name].deno.slice(1)), `${name}: ${found[i]}`);
  writeFileSync(join(project, 'embed.mjs'), readFileSync('examples/embed.mjs'));
  assert.is(inDeno(['embed.mjs'], project), '128\n192\n');
});

test('a self-test in Deno is remembered, under its version', () => {
  const script = join(folder, 'remembered.mjs');
  writeFileSync(
    script,
    `import { openDevice } from ${JSON.stringify(resolve('dist/deno/index.js'))};
    (await openDevice()).close();
    const entry = await (await caches.open('romo-self-tests')).match('https://romo.invalid/self-tests.json');
    console.log(Object.keys(await entry.json()).join('\\n'));`,
  );
  assert.match(inDeno([script]), /^embedding \| .* \| Deno\/\d+\.\d+\.\d+$/m);
});

test('both stages, trained in Deno and in Node with the same kernels: one file, byte for byte', () => {
  const tiny =
    '--preset tiny --train 20 --test 10 --batch 5 --points 32 --k-ssm 4 --k-rdl 4 --epochs-ssm 1 --epochs-rdl 1 --backend software-plain --quiet';
  const words = (name: string) => [...tiny.split(' '), '--out', join(folder, name)];
  inDeno([resolve('dist/train.deno.js'), ...words('deno')]);
  run('node', [resolve('dist/train.js'), ...words('node')]);
  const model = (name: string) => readFileSync(join(folder, name, 'model.safetensors'));
  assert.ok(model('deno').length > 10_000);
  assert.ok(model('deno').equals(model('node')));
});

test.run();
