/** Text files as other programs write them: encodings, numbers, columns, headers. Every format reads them the same way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseGeometry } from '../../../src/files/formats.ts';
import { rejects, surfaceArea, textBytes } from '../../support/files.ts';

const test = suite('text files');

const read = (name: string, text: string) => parseGeometry(textBytes(text), name);
const points = async (name: string, text: string) => Array.from((await read(name, text)).positions);

/** Three points, with what follows each on its line. */
const ROWS: readonly (readonly string[])[] = [
  ['0.5', '-1.25', '2'],
  ['1e1', '0', '3.5'],
  ['-4', '0.125', '0'],
];
const VALUES = [0.5, -1.25, 2, 10, 0, 3.5, -4, 0.125, 0];

type Change = (row: readonly string[], i: number) => string;
const plain: Change = (row) => row.join(' ');
const lines = (change: Change) => ROWS.map(change).join('\n');

/** The three points in each text format. `extra` names columns that are declared after x, y and z. */
const FORMATS: Readonly<Record<string, (change?: Change, extra?: readonly string[]) => string>> = {
  'a.off': (change = plain) => `OFF\n3 0 0\n${lines(change)}\n`,
  'a.obj': (change = plain) => `${lines((row, i) => `v ${change(row, i)}`)}\n`,
  'a.xyz': (change = plain) => `${lines(change)}\n`,
  'a.ply': (change = plain, extra = []) =>
    `ply\nformat ascii 1.0\nelement vertex 3\n${['x', 'y', 'z', ...extra].map((name) => `property float ${name}\n`).join('')}end_header\n${lines(change)}\n`,
  'a.pcd': (change = plain, extra = []) =>
    `FIELDS ${['x', 'y', 'z', ...extra].join(' ')}\nSIZE 4 4 4${' 4'.repeat(extra.length)}\nTYPE F F F${' F'.repeat(extra.length)}\nPOINTS 3\nDATA ascii\n${lines(change)}\n`,
};

const utf16 = (text: string, big = false) => {
  const bytes = new Uint8Array(Buffer.from(text, 'utf16le'));
  return big ? new Uint8Array(Buffer.from(bytes).swap16()) : bytes;
};

for (const [name, file] of Object.entries(FORMATS)) {
  test(`${name}: line ends, byte order marks, UTF-16`, async () => {
    for (const ending of ['\n', '\r\n', '\r']) {
      const text = file().replaceAll('\n', ending);
      for (const bytes of [
        textBytes(text),
        textBytes(`\ufeff${text}`),
        utf16(`\ufeff${text}`),
        utf16(`\ufeff${text}`, true),
        utf16(text),
        utf16(text, true),
      ]) {
        assert.equal(Array.from((await parseGeometry(bytes, name)).positions), VALUES);
      }
    }
    await rejects(() => parseGeometry(Uint8Array.of(0xff, 0xfe, 0, 0, 65, 0, 0, 0), name), /UTF-32/);
  });

  test(`${name}: decimal commas`, async () => {
    const { positions, remarks } = await read(
      name,
      file((row) => row.map((word) => word.replace('.', ',')).join(' ')),
    );
    assert.equal(Array.from(positions), VALUES);
    assert.equal(remarks, { decimalCommas: 1 });
    const mixed = file((row, i) => (i === 2 ? '1,234 5 6' : row.join(' ')));
    await rejects(() => read(name, mixed), /some numbers have decimal points, others decimal commas/);
  });

  test(`${name}: more columns than declared`, async () => {
    assert.equal(
      await points(
        name,
        file((row) => `${row.join(' ')} 255 0.5 red nan`),
      ),
      VALUES,
    );
  });

  test(`${name}: fewer columns than declared`, () =>
    rejects(
      () =>
        read(
          name,
          file((row, i) => (i === 1 ? '1 2' : row.join(' '))),
        ),
      /line \d+: /,
    ));

  test(`${name}: holes, however they are spelled`, async () => {
    for (const word of [
      'nan',
      '-nan',
      'NaN',
      'nan(ind)',
      '-nan(ind)',
      '-nan(0x400000)',
      '1.#QNAN',
      '-1.#IND',
      '1.#INF00',
      'inf',
      '-Infinity',
    ]) {
      const { positions, remarks } = await read(
        name,
        file((row, i) => (i === 1 ? `1 ${word} ${word}` : row.join(' '))),
      );
      assert.equal(Array.from(positions), [...VALUES.slice(0, 3), ...VALUES.slice(6)], word);
      assert.equal(remarks, { holes: 1 });
    }
    await rejects(
      () =>
        read(
          name,
          file(() => '0 none 0'),
        ),
      /line \d+: expected .*, found "none"/,
    );
  });
}

for (const name of ['a.ply', 'a.pcd']) {
  test(`${name}: columns that are not used may hold anything`, async () => {
    const text = FORMATS[name]((row) => `${row.join(' ')} nan -nan(ind)`, ['nx', 'quality']);
    assert.equal(await points(name, text), VALUES);
    await rejects(
      () =>
        read(
          name,
          FORMATS[name]((row) => `${row.join(' ')} 1`, ['nx', 'quality']),
        ),
      /line \d+: .* ends before quality/,
    );
  });
}

test('OBJ: any line may be continued by a backslash', async () => {
  const cube =
    'v 0 0 \\\n0\nv 1 \\\r\n 0 0\nv 1 1 0\\\n\nvn 0 0 \\\n1\n# a comment does not continue \\\nv 0 1 0\nf 1 2 \\\n3 4\n';
  const mesh = await read('a.obj', cube);
  assert.equal(Array.from(mesh.positions), [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0]);
  assert.equal(Array.from(mesh.triangles ?? []), [0, 1, 2, 0, 2, 3]);
});

test('OBJ: curved surfaces are not their control points', () =>
  rejects(() => read('a.obj', 'v 0 0 0\nv 1 0 0\nsurf 0 1 0 1 1 2\nend\n'), /surfaces are curved/));

const FACET = 'facet normal nan 0 0\nouter loop\nvertex 0 0 0\nvertex 2 0 0\nvertex 0 1 0\nendloop\nendfacet\n';
for (const [what, text] of [
  ['one word', `solid a\n${FACET}endsolida\n`],
  ['two words', `solid a\n${FACET.replace('endloop', 'end loop').replace('endfacet', 'end facet')}end solid a\n`],
  ['comments and zero bytes after the end', `solid a\n${FACET}endsolid\n; made by x\n# y\n\0\0\0`],
  ['colours', `solid a\ncolor 1 0 0\n${FACET}color 0 0 1\nendsolid\n`],
  ['no end', `solid a\n${FACET}`],
  ['two solids', `solid a\nendsolid a\nsolid b\n${FACET}endsolid b\n`],
  ['a byte order mark', `\ufeffsolid a\n${FACET}endsolid\n`],
  ['capitals', `SOLID A\n${FACET.toUpperCase()}ENDSOLID A\n`],
  ['one line', `solid a ${FACET.replaceAll('\n', ' ')}endsolid`.replace('solid a ', 'solid a\n')],
] as const) {
  test(`text STL: ${what}`, async () => {
    const mesh = await read('a.stl', text);
    assert.is(mesh.positions.length, 9);
    assert.is(surfaceArea(mesh), 1);
  });
}

test('XYZ: column names, comments and a count before the points', async () => {
  const rows = lines(plain);
  for (const header of [
    '//X Y Z\n',
    'x,y,z\n',
    '# a\n\n3\n',
    '3\n',
    'X Y Z\n3\n',
    '"x";"y";"z"\n',
    'easting northing height\n',
  ]) {
    assert.equal(await points('a.xyz', header + rows), VALUES, header);
  }
  const moved = lines(([x, y, z], i) => `p${i};${z};${x};${y};7`);
  assert.equal(await points('a.txt', `id;Z;X;Y;i\n${moved}`), VALUES);
  await rejects(() => read('a.xyz', `4\n${rows}`), /says 4 points, but 3 follow/);
  await rejects(() => read('a.xyz', 'two\nlines\n1 2 3'), /line 2: expected x of point 0, found "lines"/);
});

test('XYZ: separators', async () => {
  for (const separator of [',', ';', ', ', ' ; ', '\t', '  ']) {
    assert.equal(
      await points(
        'a.xyz',
        lines((row) => row.join(separator)),
      ),
      VALUES,
      separator,
    );
    assert.equal(
      await points(
        'a.xyz',
        lines((row) => [...row, '9', ''].join(separator)),
      ),
      VALUES,
      separator,
    );
  }
  // The first line has no commas that would show what they mean.
  const commas = '0;0;1\n0,5;1;2\n';
  assert.equal(await points('a.xyz', commas), [0, 0, 1, 0.5, 1, 2]);
  // An empty column is a hole; the columns after it do not move.
  const { positions, remarks } = await read('a.xyz', '1,2,3,4\n5,,6,7\n,1,2,3\n8,9,10,11\n1,2,,5\n');
  assert.equal(Array.from(positions), [1, 2, 3, 8, 9, 10]);
  assert.equal(remarks, { holes: 3 });
});

test('PCD of version .5: COLUMNS, without sizes and types', async () => {
  const text = `# .PCD v.5\nVERSION .5\nCOLUMNS x y z rgb\nDATA ascii\n`;
  const header = text.replace('DATA', 'WIDTH 3\nHEIGHT 1\nPOINTS 3\nDATA');
  assert.equal(await points('a.pcd', header + lines((row) => `${row.join(' ')} 4.2e6`)), VALUES);
});

const PLY = (element: string, list: string) =>
  `ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement ${element} 1\n${list}end_header\n0 0 0\n2 0 0\n0 1 0\n`;
test('PLY: the corners of a face under other names', async () => {
  for (const [element, list, row] of [
    ['face', 'property list uchar int indices\n', '3 0 1 2'],
    ['faces', 'property uchar red\nproperty list uchar int v\n', '255 3 0 1 2'],
    ['polygon', 'property list uchar float uv\nproperty list uchar int vertex_index\n', '2 0.5 nan 3 0 1 2'],
    ['elements', 'property list uchar int vertex_indices\n', '3 0 1 2'],
  ]) {
    assert.is(surfaceArea(await read('a.ply', `${PLY(element, list)}${row}\n`)), 1, list);
  }
  const two = 'property list uchar int a\nproperty list uchar int b\n';
  await rejects(() => read('a.ply', `${PLY('face', two)}3 0 1 2 1 0\n`), /does not say which list of "face"/);
});

test.run();
