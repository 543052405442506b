/** Folders as people have them: splits by many names, links and loops, folders without rights, names in Unicode. */
import { chmodSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckedData, DataOptions, PairedData } from '../../../src/data/types.ts';
import { refusalOf, setPath, withFolder, withSet } from '../../support/sets.ts';

const test = suite('folders');

const CLOUD = Array.from({ length: 50 }, (_, i) => `${i / 7} ${(i * i) % 5} ${i % 3}`).join('\n');

/** A picture and a cloud for each name. */
const pairs = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => [
      [`${name}.png`, '=test/files/rgb.png'],
      [`${name}.xyz`, CLOUD],
    ]),
  );

const idsOf = (data: PairedData) => Array.from({ length: data.length }, (_, i) => data.id(i));
const summary = ({ train, test: held, found, skipped }: CheckedData) => ({
  train: idsOf(train.pairs),
  test: idsOf(held.pairs),
  classes: held.labels?.classNames ?? [],
  notes: found.notes.join('; '),
  reasons: skipped.map(({ reason }) => reason).join('; '),
});

/** Opens a set of kind `folder` that consists of some pairs. */
const opened = (names: readonly string[], options: Partial<DataOptions> = {}) =>
  withFolder(pairs(...names), (folder) => withSet(`folder:${folder}`, options, async (data) => summary(data)));

for (const [train, val, held] of [
  ['train', 'val', 'test'],
  ['Train', 'VALID', 'Test'],
  ['training', 'validation', 'testing'],
]) {
  test(`published splits are kept, ${val}/ is left out and named`, async () => {
    const names = [`${train}/box/a`, `${train}/ball/b`, `${val}/box/c`, `${held}/box/a`, `${held}/ball/d`];
    const found = await opened(names);
    assert.equal(found.train, [`${train}/ball/b`, `${train}/box/a`]);
    assert.equal(found.test, [`${held}/ball/d`, `${held}/box/a`]);
    assert.equal(found.classes, ['ball', 'box']);
    assert.is(found.notes, `${val}/ is left out (1 object), ${held}/ is held out`);
  });
}

test('splits at any depth: below classes, below one more folder, and in classes that lack one of them', async () => {
  const classFirst = await opened(['box/train/a', 'box/test/b', 'ball/train/c', 'cap/test/d', 'train/train/e']);
  assert.equal(classFirst.train, ['ball/train/c', 'box/train/a', 'train/train/e']);
  assert.equal(classFirst.test, ['box/test/b', 'cap/test/d']);
  assert.equal(classFirst.classes, ['ball', 'box', 'cap', 'train']);
  const deeper = await opened(['toys/v1/train/box/a', 'toys/v1/test/box/b']);
  assert.equal([deeper.train, deeper.test], [['toys/v1/train/box/a'], ['toys/v1/test/box/b']]);
  assert.equal(deeper.classes, ['toys/v1/box']);
  const uneven = await opened(['big/train/a', 'big/test/b', 'small/old/train/c', 'small/old/test/d']);
  assert.equal(
    [uneven.train, uneven.test],
    [
      ['big/train/a', 'small/old/train/c'],
      ['big/test/b', 'small/old/test/d'],
    ],
  );
});

test('train and val: val is held out', async () => {
  const found = await opened(['train/box/a', 'train/box/b', 'val/box/c']);
  assert.equal([found.train, found.test], [['train/box/a', 'train/box/b'], ['val/box/c']]);
  assert.is(found.notes, 'val/ is held out, since there is no test/');
});

test('train alone: one in five is held out; test alone is refused', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((name) => `train/box/${name}`);
  const found = await opened(names);
  assert.equal([found.train.length, found.test.length], [8, 2]);
  assert.equal(found.classes, ['box']);
  assert.match(found.notes, /train\/ has no test\/ next to it: one object in five is held out/);
  await withFolder(pairs('test/box/a', 'val/box/b'), async (folder) => {
    const { message } = await refusalOf(`folder:${folder}`);
    assert.match(message, /has val\/ and test\/, but no train\/\. Add train\//);
  });
  await withFolder(pairs(...names), async (folder) => {
    const { message } = await refusalOf(`folder:${folder}`, { test: 20, fewerWillDo: { train: true, test: false } });
    assert.match(message, /20 test objects are requested, but there are 10\. Ask for at most 9 with --test/);
  });
});

test('a class called train is a class, and this is said', async () => {
  const found = await opened(['car/a', 'plane/b', 'train/c', 'train/d']);
  assert.equal(found.classes, ['car', 'plane', 'train']);
  assert.match(found.notes, /read as classes.*: train/);
  const split = await opened(['train/car/a', 'train/train/b', 'test/car/c', 'test/train/d']);
  assert.equal(split.classes, ['car', 'train']);
  assert.equal(split.test, ['test/car/c', 'test/train/d']);
});

test('an object outside of the splits is bad; a split without any pair is not replaced by another', async () => {
  await withFolder(pairs('train/box/a', 'test/box/b', 'more/box/c'), async (folder) => {
    assert.match((await refusalOf(`folder:${folder}`)).message, /more\/box\/c\.png is outside of the train and test/);
    const found = await withSet(`folder:${folder}`, { onBad: 'skip' }, async (data) => summary(data));
    assert.equal([found.train, found.test, found.classes], [['train/box/a'], ['test/box/b'], ['box']]);
  });
  const files = { ...pairs('train/box/a', 'train/box/b'), 'test/box/c.png': '=test/files/rgb.png' };
  await withFolder(files, async (folder) => {
    const { message } = await refusalOf(`folder:${folder}`, { onBad: 'skip' });
    assert.match(message, /there are no test objects; the bad object: .*test\/box\/c\.png has no partner/);
  });
  // Files that are no objects do not make a split of the folders around them.
  const stray = { ...pairs('box/a', 'ball/b'), 'box/x/train/c.png': '=test/files/rgb.png', 'box/x/test/d.xyz': CLOUD };
  await withFolder(stray, (folder) =>
    withSet(`folder:${folder}`, { onBad: 'skip' }, async (data) => {
      assert.equal(summary(data).classes, ['ball', 'box']);
      assert.is(data.skipped.length, 2);
    }),
  );
});

test('links: loops are not entered, a folder is read once and under its own name, and this is said', () =>
  withFolder(pairs('set/box/a', 'set/box/b', 'set/ball/c', 'elsewhere/d'), (folder) => {
    const set = join(folder, 'set');
    symlinkSync('..', join(set, 'box', 'up'));
    symlinkSync('.', join(set, 'loop'));
    symlinkSync('../..', join(set, 'ball', 'above')); // a parent of the set
    symlinkSync('box', join(set, 'alias'));
    symlinkSync('../elsewhere', join(set, 'cap')); // the usual reason for a link
    symlinkSync('cap', join(set, 'z'));
    symlinkSync('nowhere', join(set, 'broken'));
    symlinkSync('itself', join(set, 'itself'));
    return withSet(`folder:${set}`, {}, async (data) => {
      const { train, test: held, classes, notes } = summary(data);
      assert.equal([...train, ...held].sort(), ['ball/c', 'box/a', 'box/b', 'cap/d']);
      assert.equal(classes, ['ball', 'box', 'cap']);
      assert.match(notes, /folders that are read already are not entered again: alias, ball\/above, box\/up, loop, z/);
      assert.match(notes, /links that lead nowhere: broken, itself/);
    });
  }));

test('links to files: an object of the same files is left out, a shared picture is not', () =>
  withFolder(pairs('box/a', 'box/b'), (folder) => {
    mkdirSync(join(folder, 'again'));
    for (const name of ['a.png', 'a.xyz', 'b.png', 'b.xyz']) {
      symlinkSync(join(folder, 'box', name), join(folder, 'again', name));
    }
    symlinkSync('a.png', join(folder, 'box', 'c.png'));
    linkSync(join(folder, 'box', 'b.xyz'), join(folder, 'box', 'c.xyz'));
    return withSet(`folder:${folder}`, {}, async (data) => {
      const { train, test: held, classes, notes } = summary(data);
      assert.equal([...train, ...held].sort(), ['box/a', 'box/b', 'box/c']);
      assert.equal(classes, ['box']);
      assert.match(notes, /2 objects left out, links to files of others: again\/a, again\/b/);
    });
  }));

test('splits of links to files are splits; splits of links to folders of the set are refused', async () => {
  await withFolder(pairs('all/a', 'all/b'), (folder) => {
    for (const [split, name] of [
      ['train', 'a'],
      ['test', 'b'],
    ]) {
      mkdirSync(join(folder, split));
      for (const end of ['png', 'xyz']) symlinkSync(`../all/${name}.${end}`, join(folder, split, `${name}.${end}`));
    }
    return withSet(`folder:${folder}`, {}, async (data) => {
      assert.equal([summary(data).train, summary(data).test], [['train/a'], ['test/b']]);
    });
  });
  await withFolder(pairs('all/x/a', 'all/y/b'), async (folder) => {
    symlinkSync('all/x', join(folder, 'train'));
    symlinkSync('all/y', join(folder, 'test'));
    assert.match((await refusalOf(`folder:${folder}`)).message, /all\/x\/a\.png is outside of the train and test/);
  });
  await withFolder(pairs('train/a', 'train/b'), async (folder) => {
    symlinkSync('train', join(folder, 'test')); // would hold out what is trained on
    assert.match((await refusalOf(`folder:${folder}`)).message, /there are no test objects/);
  });
});

test('a subfolder without rights is a bad object, also if it is the test split', async () => {
  const isRoot = process.getuid?.() === 0; // root may read everything
  for (const [closed, skipped] of [
    ['lost+found', null],
    ['test', /there are no test objects; the bad object: cannot read the folder .*test: EACCES/],
  ] as const) {
    await withFolder(pairs('train/box/a', 'train/box/b'), async (folder) => {
      mkdirSync(join(folder, closed));
      for (const path of [folder, join(folder, closed)]) chmodSync(path, path === folder ? 0o755 : 0);
      if (isRoot) process.seteuid?.(65534);
      try {
        const { message } = await refusalOf(`folder:${folder}`);
        assert.ok(message.includes(`cannot read the folder ${join(folder, closed)}: EACCES`), message);
        assert.match(message, /--on-bad skip/);
        if (skipped) assert.match((await refusalOf(`folder:${folder}`, { onBad: 'skip' })).message, skipped);
        else {
          await withSet(`folder:${folder}`, { onBad: 'skip' }, async (data) => {
            assert.is(data.train.pairs.length + data.test.pairs.length, 2);
            assert.match(summary(data).reasons, /cannot read the folder .*lost\+found: EACCES/);
          });
        }
      } finally {
        if (isRoot) process.seteuid?.(0);
        chmodSync(join(folder, closed), 0o755);
      }
    });
  }
});

test('names are the same in both Unicode forms, and endings in any case', async () => {
  const [composed, decomposed] = ['Stühle'.normalize('NFC'), 'Stühle'.normalize('NFD')];
  assert.is.not(composed, decomposed);
  const files = {
    [`train/${decomposed}/${decomposed}_1.PNG`]: '=test/files/rgb.png',
    [`train/${composed}/${composed}_1.Xyz`]: CLOUD,
    [`test/${composed}/2.jpeg`]: '=test/files/rgb.jpg',
    [`test/${composed}/2.OFF`]: '=test/files/plain.off',
  };
  await withFolder(files, (folder) =>
    withSet(`folder:${folder}`, {}, async (data) => {
      const { train, classes } = summary(data);
      assert.equal([train, classes], [[`train/${composed}/${composed}_1`], [composed]]);
      await data.train.pairs.load([0]);
    }),
  );
  const twice = { ...pairs('a', decomposed), [`${composed}.png`]: '=test/files/rgb.png' };
  await withFolder(twice, async (folder) => {
    assert.match((await refusalOf(`folder:${folder}`)).message, /are both called Stühle/u);
  });
});

const MODELNET = setPath('modelnet');

test('modelnet: ModelNet10 and ModelNet40 in one folder hold the same objects, which is refused', () =>
  withFolder({ ModelNet10: `=${MODELNET}/box`, ModelNet40: `=${MODELNET}` }, async (folder) => {
    // ModelNet10/train, ModelNet10/test are a class of that name here.
    await withSet(`modelnet:${folder}`, {}, async (data) => assert.is(data.train.pairs.length, 9));
    await withFolder({ ModelNet10: `=${MODELNET}`, 'ModelNet40/box': `=${MODELNET}/box` }, async (both) => {
      const { message } = await refusalOf(`modelnet:${both}`);
      assert.match(message, /ModelNet40\/box\/test\/box_0004\.off and .*ModelNet10\/box\/test\/box_0004\.off are both/);
      assert.match(message, /and 4 more like it/);
      await withSet(`modelnet:${both}`, { onBad: 'skip' }, async (data) => {
        assert.equal([data.train.pairs.length, data.test.pairs.length, data.skipped.length], [6, 4, 5]);
      });
    });
  }));

test('modelnet: splits above the classes, in any case, with val; an object of the other split is another one', async () => {
  const off = `=${MODELNET}/box/train/box_0001.off`;
  const open = (files: Record<string, string>) =>
    withFolder(files, (folder) => withSet(`modelnet:${folder}`, {}, async (data) => summary(data)));
  const found = await open({
    'M/Train/box/1.OFF': off,
    'M/Train/train/1.off': off,
    'M/val/box/2.off': off,
    'M/Test/box/1.off': off,
  });
  assert.equal([found.train, found.test], [['train/box/1', 'train/train/1'], ['test/box/1']]);
  assert.equal(found.classes, ['box', 'train']);
  assert.match(found.notes, /val\/ is left out \(1 object\), Test\/ is held out/);
  const alone = await open({ 'box/train/1.off': off, 'box/train/2.off': off, 'cap/train/1.off': off });
  assert.equal([alone.train.length, alone.test.length], [2, 1]);
  assert.match(alone.notes, /one object in five is held out/);
});

test('mnist3d: endings in any case, and the hidden files of a Mac are no lists', async () => {
  const [hdf5, lists] = [setPath('mnist_hdf5'), setPath('mnist_lists')];
  const list = (kind: string, split: string) => `mnist3d_${kind}_${split}_list`;
  const files = Object.fromEntries(
    ['RGBImgs', 'PointCloud'].flatMap((kind) =>
      ['train', 'test'].map((split) => [`${list(kind, split)}.TXT`, `=${lists}/${list(kind, split)}.txt`]),
    ),
  );
  const hidden = { '._mnist3d_RGBImgs_train_list.txt': 'Mac OS X', '3dmnist': `=${lists}/3dmnist` };
  const capitals = {
    'Train_Point_Clouds.H5': `=${hdf5}/train_point_clouds.h5`,
    'test_point_clouds.H5': `=${hdf5}/test_point_clouds.h5`,
  };
  for (const form of [{ ...files, ...hidden }, capitals]) {
    await withFolder(form, (folder) =>
      withSet(`mnist3d:${folder}`, {}, async (data) => assert.is(data.train.pairs.length, 6)),
    );
  }
});

test('rgbd: links and endings', () =>
  withFolder({ '.': `=${setPath('rgbd')}` }, async (folder) => {
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync('apple_1_1_1.pcd', join(folder, 'pcd', 'apple', 'apple_1', 'apple_1_1_1.PCD'));
    await withSet(`rgbd:${folder}`, {}, async (data) => {
      assert.is(data.train.pairs.length + data.test.pairs.length, 18);
      assert.match(summary(data).notes, /not entered again: loop/);
    });
  }));

test.run();
