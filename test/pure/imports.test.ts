/** The import check: reports imports that point upward or form a cycle, and nothing else. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, importsIn, LAYERS, readTree, sizes } from '../../tools/imports.mjs';

const test = suite('imports');
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

const complaintsOf = (files: Record<string, string>) => complaints(new Map(Object.entries(files)), manifest);

/** A tree without errors. */
const good = {
  'src/tensor/error.ts': '',
  'src/tensor/tensor.ts': "import type { Gpu } from './device.ts';\nimport { RomoError } from './error.ts';\n",
  'src/tensor/device.ts':
    "import { loadBackend } from '../backends/backend.ts';\nimport { Tensor } from './tensor.ts';\n",
  'src/backends/backend.ts': "const { gpu } = await import('./gpu.ts');\n",
  'src/backends/gpu.ts':
    "import { type Backend } from './backend.ts';\nimport { fill } from '../autograd/elementary.ts';\n",
  'src/autograd/elementary.ts':
    "import source from '../shaders/fill.wgsl';\nimport { Tensor } from '../tensor/tensor.ts';\n",
  'src/autograd/conv2d.ts': "import { fill } from './elementary.ts';\n",
  'src/shaders/fill.wgsl': 'one\ntwo\n',
  'src/index.ts': "export { fill } from './autograd/elementary.ts';\n",
  'web/page.ts': "import { fill } from 'romo';\nimport { other } from './other.ts';\n",
  'web/other.ts': '',
  'test/page.test.ts':
    "import { other } from '../web/other.ts';\nimport { fill } from '../src/autograd/elementary.ts';\n",
};

test('a tree without faults', () => {
  assert.equal(complaintsOf(good), []);
});

test('an import that points upward', () => {
  const upward: [string, string, RegExp][] = [
    [
      'src/tensor/tensor.ts',
      "import { fill } from '../autograd/elementary.ts';",
      /tensor\.ts imports src\/autograd\/elem/,
    ],
    [
      'src/autograd/elementary.ts',
      "export { gpu } from '../backends/gpu.ts';",
      /elementary\.ts imports src\/backends\/gpu/,
    ],
    ['src/autograd/elementary.ts', "import { fill } from 'romo';", /elementary\.ts imports src\/index\.ts/],
    ['src/autograd/elementary.ts', "import '../../web/other.ts';", /elementary\.ts imports web\/other/],
    ['src/index.ts', "const page = await import('../test/page.test.ts');", /index\.ts imports test\/page/],
    [
      'web/other.ts',
      "import {\n  fill,\n} from '../src/autograd/elementary.ts';",
      /web\/other\.ts imports .* from the package/,
    ],
  ];
  for (const [path, line, pattern] of upward) {
    const all = complaintsOf({ ...good, [path]: `${line}\n` });
    const found = all.filter((fault) => !fault.startsWith('a circle'));
    assert.is(found.length, 1, `${path}: ${found.join('; ')}`);
    assert.match(found[0], pattern);
  }
  assert.match(complaintsOf({ ...good, 'src/attic/old.ts': '' }).join(), /src\/attic\/old\.ts has no layer/);
});

test('a circle', () => {
  const circle = { 'src/model/a.ts': "import { b } from './b.ts';\n", 'src/model/b.ts': "export * from './c.ts';\n" };
  const back = (line: string) => complaintsOf({ ...good, ...circle, 'src/model/c.ts': `${line}\n` });
  assert.equal(back("import { a } from './a.ts';"), [
    'a circle of imports: src/model/a.ts -> src/model/b.ts -> src/model/c.ts -> src/model/a.ts',
  ]);
  for (const free of [
    "import type { A } from './a.ts';",
    "import { type A, type Other } from './a.ts';",
    "export type { A } from './a.ts';",
    "const later = () => import('./a.ts');",
    "type A = typeof import('./a.ts');",
    "// import { a } from './a.ts';",
    "/**\n * import { a } from './a.ts';\n */",
  ]) {
    assert.equal(back(free), [], free);
  }
});

test('what is imported, as the language has it', () => {
  const imports = (text: string) => importsIn(text).map(({ from }) => from);
  assert.equal(imports("import a, { type B } from './a.ts';"), ['./a.ts']);
  assert.equal(imports("import { type A, b } from './a.ts';"), ['./a.ts']);
  assert.equal(imports("import './a.css';\nimport * as all from './all.ts';"), ['./a.css', './all.ts']);
  assert.equal(imports("const text = `\n  import { a } from './a.ts';\n`;"), []);
  assert.equal(imports("import type from './a.ts';"), ['./a.ts']);
});

test('sizes count what is loaded, shaders too, without the software backend', () => {
  const files = { ...good, 'src/backends/software/software.ts': '1\n2\n3\n', 'src/shaders/wgsl.d.ts': '1\n' };
  const [conv2d, engine] = sizes(new Map(Object.entries(files)), manifest);
  // conv2d, elementary, fill.wgsl, tensor, error
  assert.is(conv2d.lines, 1 + 2 + 2 + 2 + 0);
  assert.is(engine.lines, conv2d.lines + 2 + 1 + 2); // device, backend, gpu
  assert.ok(conv2d.most < engine.most);
});

test('the table names folders that exist, and every module has a layer', () => {
  const files = readTree('.');
  const paths = [...files.keys()];
  for (const layer of Object.keys(LAYERS)) {
    assert.ok(
      paths.some((path) => path === layer || path.startsWith(`${layer}/`)),
      layer,
    );
  }
  assert.ok(paths.length > 300, `${paths.length} modules`);
  assert.not.match(complaints(files, manifest).join(), /has no layer/);
});

test.run();
