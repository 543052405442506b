/** Documentation: every link points to an existing file and heading. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('docs');
const documents = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((path) =>
  path.endsWith('.md'),
);

/** Targets of links outside code blocks; addresses of other sites are not checked. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target).filter((link) => !/^https?:/.test(link));
}

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsIn = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));

for (const document of documents) {
  test(`${document}: no link is dead`, () => {
    for (const link of linksIn(readFileSync(document, 'utf8'))) {
      const [path, anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      assert.ok(existsSync(target), `${document} links to ${link}, which does not exist`);
      if (anchor) assert.ok(anchorsIn(target).includes(anchor), `${document} links to ${link}: no such heading`);
    }
  });
}

test('README: the line counts of the files to read are right', () => {
  const table = /\| read in this order[\s\S]*?\n\n/.exec(readFileSync('README.md', 'utf8'))?.[0] ?? '';
  const counts = [...table.matchAll(/\]\(([^)]+)\) \((\d+)\)/g)];
  assert.ok(counts.length > 8);
  for (const [, path, lines] of counts) {
    assert.is(Number(lines), readFileSync(path, 'utf8').trimEnd().split('\n').length, path);
  }
});

test.run();
