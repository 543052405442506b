/** The commands and programs that README and docs show do what they say, with the files of the tests under the names of the examples. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CommandName, cacheIn, runCommand } from '../support/commands.ts';
import { setPath } from '../support/sets.ts';

const test = suite('examples');
const folder = mkdtempSync(join(tmpdir(), 'romo-examples-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
cacheIn(join(folder, 'cache'));

const documents = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);

/** What the examples call their files. */
const FILES: Readonly<Record<string, string>> = {
  mine: setPath('folder'),
  things: setPath('folder'),
  ModelNet10: setPath('modelnet'),
  'modelnet10.npz': setPath('voxels/boxes.npz'),
  'rgbd-dataset': setPath('rgbd'),
  mnist: setPath('mnist_lists'),
  'cup.png': 'test/sets/folder/box/box_0.png',
  'seven.png': 'test/sets/folder/box/box_0.png',
  'cup.ply': 'test/files/ascii.ply',
};
const PLACEHOLDERS: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/mnist3d:DIR/, 'mnist3d:mnist'],
  [/rgbd:DIR/, 'rgbd:rgbd-dataset'],
  [/\bSPEC\b/, 'folder:mine'],
  [/\b(RUN|RUN_DIR)\b/, 'runs/latest'],
  [/\bGALLERY\b/, 'things.gallery'],
];
/** These need weights from elsewhere; pretrained.test.ts runs them with weights of its own. */
const NEED_WEIGHTS = /--image-weights|dist\/convert\.js/;
/** These need database servers; database_server.test.ts and database_shards.test.ts have some. */
const NEED_SERVERS = /postgres:\/\//;
const FAST =
  '--preset tiny --train all --test all --batch 2 --clusters 2 --points 32 --image-size 16 --k-ssm 4 --k-rdl 4 --epochs-ssm 1 --epochs-rdl 1 --quiet';

interface Example {
  readonly at: string;
  readonly words: readonly string[];
  /** what the document shows below the command */
  readonly shown: readonly string[];
}

/** Commands with arguments: in lines of their own, after a $ in a transcript, and in running text. */
function examplesOf(path: string): Example[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, i): Example[] => {
    const [, whole] = /^(?: {4}|\$ )?(node dist\/.+)$/.exec(line) ?? [];
    const commands = whole ? [whole] : [...line.matchAll(/`(node dist\/[^`]+)`/g)].map(([, command]) => command);
    const end = lines.findIndex((later, k) => k > i && /^(\$ |```|$)/.test(later));
    const shown = line.startsWith('$ ') ? lines.slice(i + 1, end) : [];
    return commands
      .filter(
        (command) => command.split(' ').length > 3 && ![NEED_WEIGHTS, NEED_SERVERS].some((need) => need.test(command)),
      )
      .map((command) => {
        const plain = PLACEHOLDERS.reduce((text, [pattern, meaning]) => text.replace(pattern, meaning), command);
        const words = [...plain.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inner, word]) => inner ?? word);
        return { at: `${path}:${i + 1}: ${command}`, words: words.slice(1), shown };
      });
  });
}

test.before(() => {
  for (const [name, from] of Object.entries(FILES)) cpSync(from, join(folder, name), { recursive: true });
  symlinkSync(resolve('dist'), join(folder, 'dist'), 'dir');
});

const started = new Set<string>();

/** Runs an example in the folder: the first of each program in a process of its own, the others in this one. */
async function run({ at, words }: Example): Promise<string> {
  const [program, ...given] = words;
  const isFirst = !started.has(program);
  started.add(program);
  const name = /^dist\/(\w+)\.js$/.exec(program)?.[1] as CommandName;
  if (!isFirst) {
    const here = process.cwd();
    process.chdir(folder);
    const { code, out, errors } = await runCommand(name, ...given).finally(() => process.chdir(here));
    assert.is(code, 0, `${at}\n${errors}\n${out}`);
    return out;
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.is(status, 0, `${at}\n${stderr}\n${stdout}`);
  return stdout;
}

/** The text without its numbers, and of a table only the names of the columns. */
const formOf = (lines: readonly string[]): string[] =>
  lines
    .filter((line) => !/^[┌├└]/.test(line) && !/^│ \d/.test(line))
    .map((line) =>
      line
        .replace(/\d+/g, 'N')
        .replace(/\bobject\b/g, 'objects')
        .replace(/ +/g, ' '),
    );

const examples = documents.flatMap(examplesOf);
const isOf = (name: string) => (example: Example) => example.words[0] === `dist/${name}.js`;

test('every way to train', async () => {
  // data_sets.test.ts trains on every set. Here the runs that later examples need are trained, and other commands have to be
  // understood and to find their objects.
  const sets = new Set<string>();
  for (const example of examples.filter(isOf('train')).filter(({ words }) => !words.includes('--resume'))) {
    const isOfShapes = !example.words.includes('--data');
    const set = isOfShapes ? 'shapes' : example.words[example.words.indexOf('--data') + 1];
    const few = isOfShapes ? ['--train', '8', '--test', '4'] : []; // there are not `all` of them
    const out = example.words.includes('--out') ? [] : ['--out', `runs/${set.split(':')[0]}`];
    const isNeeded = example.words.includes('runs/digits') || (set === 'folder:mine' && !sets.has(set));
    const inspect = isNeeded || example.words.includes('--inspect') ? [] : ['--inspect'];
    sets.add(set);
    await run({ ...example, words: [...example.words, ...FAST.split(' '), ...few, '--overwrite', ...out, ...inspect] });
  }
  assert.ok(sets.size >= 5, [...sets].join());
  for (const name of ['latest', 'start'])
    cpSync(join(folder, 'runs/folder'), join(folder, 'runs', name), { recursive: true });
});

test('comparisons', async () => {
  const comparisons = examples.filter(isOf('compare'));
  assert.ok(comparisons.length > 0);
  const quick = ['--methods', 'untrained', '--seeds', '1'];
  for (const { words, ...example } of comparisons) {
    const fresh = words.includes('--resume') ? [] : [...FAST.split(' '), '--overwrite'];
    const few = words.includes('--data') || words.includes('--resume') ? [] : ['--train', '8', '--test', '4'];
    await run({ ...example, words: [...words, ...fresh, ...few, ...quick] });
  }
});

test('what can be done with a run: resume, evaluate, index, query, info; the transcripts are of the form shown', async () => {
  const others = examples.filter(
    (example) => !isOf('compare')(example) && (example.words.includes('--resume') || !isOf('train')(example)),
  );
  const ran = new Set(others.map(({ words }) => words.slice(0, 2).join(' ')));
  for (const needed of [
    'search.js index',
    'search.js query',
    'search.js info',
    'evaluate.js runs/latest',
    'train.js --resume',
  ])
    assert.ok(ran.has(`dist/${needed}`), `no document shows ${needed}`);
  for (const example of others) {
    const printed = (await run(example)).trimEnd().split('\n');
    if (example.shown.length > 0) assert.equal(formOf(printed), formOf(example.shown), example.at);
  }
  assert.ok(existsSync(join(folder, 'report.html')) && existsSync(join(folder, 'answers.html')));
});

/** The output of a program that imports this package by its name. */
function printedBy(program: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.is(status, 0, stderr);
  return stdout;
}

const blockOf = (path: string, start: string): string => {
  const found = [...readFileSync(path, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].find(([, code]) =>
    code.startsWith(start),
  );
  assert.ok(found, `${path} has no such program`);
  return (found as RegExpMatchArray)[1];
};

test('docs/reading.md: the loop as a replay prints what the loop prints', () => {
  const whole = readFileSync('examples/autograd.mjs', 'utf8');
  const loop = /^for \(let step[\s\S]*?^}\n/m;
  const replayed = whole
    .replace(loop, blockOf('docs/reading.md', 'const { replay'))
    .replace('{ Linear', '{ Replay, Linear');
  assert.is(printedBy(replayed), printedBy(whole));
});

test('docs/search.md: a gallery in a database', () => {
  const program = blockOf('docs/search.md', 'import { openDatabaseGallery').replace(
    'postgres://romo@localhost/shapes',
    'pglite:memory://',
  );
  const values =
    "const [sha256, vector] = ['0'.repeat(64), new Float32Array(128).fill(128 ** -0.5)]; const query = vector;\n";
  assert.is(printedBy(`${values}${program}console.log(answers.map(({ id }) => id).join());`), 'chair_0001\n');
});

test.run();
