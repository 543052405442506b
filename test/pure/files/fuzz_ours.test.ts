/**
 * Damaged files of formats that this program writes or that name other files: weights, checkpoints, galleries, lists.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig } from '../../../src/commands/run_folder.ts';
import { readIdxImages, readIdxLabels } from '../../../src/data/sets/idx.ts';
import { findMnistLists } from '../../../src/data/sets/mnist_lists.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../src/files/safetensors.ts';
import { PRESETS } from '../../../src/romo/config.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/romo/run/checkpoint.ts';
import { encodeLabel, encodeManifest, parseManifest } from '../../../src/search/files/manifest.ts';
import { readRows, StoredPart } from '../../../src/search/files/stored_part.ts';
import { attack, numbersReplaced, survives, withinMemory } from '../../support/damage.ts';
import { textBytes } from '../../support/files.ts';
import { blockVector, STAMP } from '../../support/gallery.ts';

const test = suite('fuzz: weights, checkpoints, galleries, lists');
const folder = mkdtempSync(join(tmpdir(), 'romo-fuzz-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

const weights = encodeSafetensors(
  {
    'rdl.encoders.image.conv.weight': { shape: [4, 3, 3, 3], dtype: 'f32', data: numbers(108) },
    labels: { shape: [7], dtype: 'i32', data: new Int32Array(7) },
    '': { shape: [], dtype: 'u32', data: Uint32Array.of(5) },
  },
  { config: JSON.stringify(PRESETS.tiny), 'a "note"': '\u{1F600}' },
);

test('safetensors', () =>
  attack(weights, 300, (bytes) =>
    withinMemory(bytes, 3, () => {
      for (const { shape, data } of Object.values(decodeSafetensors(bytes, 'weights').tensors)) {
        assert.is(
          data.length,
          shape.reduce((product, length) => product * length, 1),
        );
      }
    }),
  ));

test('checkpoints', async () => {
  const seconds = { untrained: 1, ssm: 2, pseudoLabels: 0, rdl: 0, figures: 0 };
  const labels = { images: new Int32Array(5), clouds: new Int32Array(5) };
  const stage = { stage: 'ssm' as const, epoch: 1, step: 2, tensors: { 'model.a': numbers(20) }, labels };
  const state = { stage, figures: {}, seconds, warm: null };
  const bytes = encodeCheckpoint({ config: PRESETS.tiny, state, adapter: 'one', metricsBytes: 9 });
  const read = (damaged: Uint8Array) => withinMemory(damaged, 3, () => void decodeCheckpoint(damaged, 'checkpoint'));
  for (const damaged of numbersReplaced(bytes)) await survives(damaged, read);
  await attack(bytes, 300, read);
});

test('config.json', async () => {
  const path = join(folder, 'config.json');
  const bytes = textBytes(JSON.stringify(PRESETS.tiny, null, 2));
  const read = (damaged: Uint8Array) => {
    writeFileSync(path, damaged);
    const { batch, train } = readConfig(path);
    assert.ok(Number.isSafeInteger(batch) && batch <= train);
  };
  for (const damaged of numbersReplaced(bytes)) await survives(damaged, read);
  await attack(bytes, 300, read);
});

const part = { name: 'part-1', rows: 3, dead: [1] };
const rows = encodeSafetensors({
  vectors: { shape: [3, 16], dtype: 'f32', data: Float32Array.from([1, 2, 3].flatMap((i) => [...blockVector(i)])) },
});
const lines = textBytes(
  [1, 2, 3]
    .map((i) =>
      encodeLabel({ id: `a${i}`, modality: 'image', source: 'folder:a', hash: `${i}`, metadata: { n: i, t: null } }),
    )
    .join(''),
);
const sourceOf = (bytes: Uint8Array) => ({
  name: 'a file',
  size: bytes.length,
  read: async (begin: number, end: number) => bytes.slice(begin, end),
});

test('gallery.json', () =>
  attack(textBytes(encodeManifest({ model: STAMP, numbers: 'f32', next: 2, parts: [part] })), 300, (bytes) => {
    for (const { name } of parseManifest(text(bytes), 'gallery.json').parts) assert.match(name, /^part-\d+$/);
  }));

for (const [name, original] of Object.entries({ 'vectors of a gallery': rows, 'labels of a gallery': lines })) {
  test(name, () =>
    attack(original, 300, (bytes) =>
      withinMemory(bytes, 64, async () => {
        const [vectors, labels] = original === rows ? [bytes, lines] : [rows, bytes];
        const opened = await StoredPart.open(part, 16, sourceOf(vectors), sourceOf(labels));
        for await (const block of readRows(opened.select(''))) assert.is(block.length % 16, 0);
      }),
    ),
  );
}

test('lists name no file outside of their folder', async () => {
  const set = join(realpathSync(folder), 'lists');
  cpSync('test/sets/mnist_lists', set, { recursive: true });
  const list = join(set, 'mnist3d_RGBImgs_train_list.txt');
  const beside = `${text(readFileSync(list))}../../secret/0_RGBImg_train_000007.png 0\n/etc/0_RGBImg_train_000008.png 0\n`;
  await attack(textBytes(beside), 100, async (bytes) => {
    writeFileSync(list, bytes);
    const { train } = await findMnistLists(set);
    if (train.plan.kind !== 'files') throw new Error('a list of files was expected');
    for (const { image } of train.plan.items) assert.ok(image.startsWith(set + sep), image);
  });
});

const idx = (magic: number, ...sizes: number[]) => {
  const bytes = Buffer.alloc(4 * (1 + sizes.length) + sizes.reduce((product, size) => product * size, 1), 7);
  for (const [i, word] of [magic, ...sizes].entries()) bytes.writeUInt32BE(word, 4 * i);
  return bytes;
};
for (const [name, original] of Object.entries({
  'idx images': idx(0x803, 5, 4, 3),
  'idx images, packed': gzipSync(idx(0x803, 5, 4, 3)),
  'idx labels': idx(0x801, 9),
})) {
  test(name, () =>
    attack(original, 200, async (bytes) => {
      const path = join(folder, 'idx');
      writeFileSync(path, bytes);
      await withinMemory(bytes, 1032, async () => {
        if (name === 'idx labels') assert.ok((await readIdxLabels(path)).length >= 0);
        else assert.ok((await readIdxImages(path)).pixels.length >= 0);
      });
    }),
  );
}

test.run();
