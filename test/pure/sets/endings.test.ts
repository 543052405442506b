/** Which files of a folder form an object: endings of pictures and shapes, and what lies next to them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder, withSet } from '../../support/sets.ts';

const test = suite('endings');

const CLOUD = Array.from({ length: 50 }, (_, i) => `${i / 7} ${(i * i) % 5} ${i % 3}`).join('\n');
const PICTURE = '=test/files/rgb.png';

/** Opens a set of kind `folder` of these files. */
const opened = (files: Record<string, string>) =>
  withFolder(files, (folder) =>
    withSet(
      `folder:${folder}`,
      { onBad: 'skip', test: 1, train: 1 },
      async ({ train, test: held, found, skipped }) => ({
        ids: [train, held].flatMap(({ pairs }) => Array.from({ length: pairs.length }, (_, i) => pairs.id(i))).sort(),
        notes: found.notes.join('; '),
        bad: skipped.map(({ reason }) => reason).join('; '),
      }),
    ),
  );

test('.npz and .gltf are shapes; .txt is one if the picture has no other', async () => {
  const found = await opened({
    'a.png': PICTURE,
    'a.NPZ': '=test/files/compressed.npz',
    'b.png': PICTURE,
    'b.txt': CLOUD,
  });
  assert.equal(found, { ids: ['a', 'b'], notes: '', bad: '' });
  const captions = await opened({
    'a.png': PICTURE,
    'a.xyz': CLOUD,
    'a.txt': 'a chair\n',
    'b.png': PICTURE,
    'b.OFF': '=test/files/plain.off',
    'b.TXT': 'a box\n',
    'README.txt': 'made by hand\n',
  });
  assert.equal(captions, { ids: ['a', 'b'], notes: '3 other files', bad: '' });
});

test('what systems leave in folders is not read', async () => {
  const found = await opened({
    'box/a.png': PICTURE,
    'box/a.xyz': CLOUD,
    'box/b.png': PICTURE,
    'box/b.xyz': CLOUD,
    'box/.DS_Store': 'x',
    'box/._a.png': 'x',
    '__MACOSX/box/._a.png': 'x',
    '.git/c.png': PICTURE,
    'box/Thumbs.db': 'x',
    'desktop.ini': 'x',
  });
  assert.equal(found, { ids: ['box/a', 'box/b'], notes: '2 other files', bad: '' });
});

test.run();
