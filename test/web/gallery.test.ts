/** A gallery in files, read in a page through `romo/search`, gives the same answers as in Node. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFilter } from '../../src/search/filter.ts';
import type { Answer } from '../../src/search/gallery.ts';
import { openGallery } from '../../src/search/open.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { blockVector, STAMP } from '../support/gallery.ts';
import { outputOf } from './chromium.ts';

const WHERE = "category in ('cup', 'bowl') and faces < 2500";
/** More than one block of the kernel, in two parts; products of these vectors are exact on every adapter. */
const COUNT = 3001;

const test = suite('gallery of files in a page');
const folder = mkdtempSync(join(tmpdir(), 'romo-gallery-page-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('the same answers as in Node', async () => {
  const entries = Array.from({ length: COUNT }, (_, i) => ({
    id: `${i}'\u{1F600}`,
    modality: i % 3 ? ('image' as const) : ('points' as const),
    vector: blockVector(i),
    metadata: { category: ['cup', 'bowl', 'chair', null][i % 4], faces: i },
  }));
  const queries = [blockVector(9001), blockVector(9002), blockVector(9003)];
  const gpu = await openDevice();
  const gallery = await openGallery(join(folder, 'gallery'), STAMP, async () => gpu);
  await gallery.upsert(entries.slice(0, 2000));
  await gallery.upsert(entries.slice(2000));
  await gallery.remove([entries[7].id]);
  const flat = Float32Array.from(queries.flatMap((query) => [...query]));
  const inNode: Answer[][][] = [
    await gallery.search(flat, { top: 10 }),
    await gallery.search(flat, { top: 10, modality: 'points', where: parseFilter(WHERE) }),
  ];
  await gallery.close();
  gpu.close();

  cpSync(join('dist', 'browser'), join(folder, 'romo'), { recursive: true });
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta charset="utf-8"><title>Gallery</title><link rel="icon" href="data:,"><output></output>
    <script type="module">
      import { openDevice, parseFilter, readGallery } from './romo/search/index.js';
      const gpu = await openDevice();
      const gallery = await readGallery(gpu, async (name) => (await fetch('gallery/' + name)).blob());
      const queries = Float32Array.from(${JSON.stringify([...flat])});
      const answers = [
        await gallery.search(queries, { top: 10 }),
        await gallery.search(queries, { top: 10, modality: 'points', where: parseFilter(${JSON.stringify(WHERE)}) }),
      ];
      document.querySelector('output').textContent = JSON.stringify({ info: gallery.info(), answers });
    </script>`,
  );
  const { info, answers } = await outputOf(folder, 'answers');
  assert.is(info.images + info.points, COUNT - 1);
  assert.equal(answers, inNode);
  assert.is(answers[1][2].length, 10);
});

test.run();
