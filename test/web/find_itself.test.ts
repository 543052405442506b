/**
 * Objects of a gallery that was indexed in Node, asked in a page from the same files: each finds itself first. The page uses the
 * package's own preparation; the browser only decodes the pictures.
 */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  embedCloudFile,
  embedImageFile,
  loadModelFile,
  readModelFile,
  stampOf,
} from '../../src/commands/search_model.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { encodeModels } from '../../src/romo/run/model_file.ts';
import { emptyModels } from '../../src/romo/run/run.ts';
import type { Entry } from '../../src/search/gallery.ts';
import { openGallery } from '../../src/search/open.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { filePath } from '../support/files.ts';
import { outputOf } from './chromium.ts';

const SHAPES = [
  'scene.glb',
  'binary.stl',
  'compressed.pcd',
  'f8_big_fortran.npy',
  'mesh.obj',
  'little.ply',
  'plain.off',
];
const PICTURES = ['rgb.png', 'grey.png', 'palette.png', 'rgb_maskcrop.png', 'rgb.jpg', 'rgb.webp', 'exif.jpg'];

const test = suite('an object finds itself in a page');
const folder = mkdtempSync(join(tmpdir(), 'romo-itself-page-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('3D files of every kind, and pictures', async () => {
  const own = {
    data: 'folder:elsewhere',
    set: { background: 1 },
    points: 32,
    train: 8,
    test: 4,
    batch: 4,
    clusters: 2,
  };
  const config: Config = { ...PRESETS.tiny, ...own };
  const gpu = await openDevice();
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'model.safetensors'), await encodeModels(emptyModels(gpu, config, 3), config));
  const file = readModelFile(join(folder, 'model.safetensors'));
  const model = loadModelFile(gpu, file);
  const entries: Entry[] = [];
  for (const id of SHAPES) {
    copyFileSync(filePath(id), join(folder, 'files', id));
    const { vector } = await embedCloudFile(model, filePath(id), 'z');
    entries.push({ id, modality: 'points', vector, metadata: {} });
  }
  for (const id of PICTURES) {
    const path = join(folder, 'files', id);
    copyFileSync(filePath(id), path);
    const { vector } = await embedImageFile(model, path, undefined);
    entries.push({ id, modality: 'image', vector, metadata: {} });
  }
  const gallery = await openGallery(join(folder, 'gallery'), stampOf(file, model, 'z'), async () => gpu);
  await gallery.upsert(entries);
  await gallery.close();
  gpu.close();

  cpSync(join('dist', 'browser'), join(folder, 'romo'), { recursive: true });
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta charset="utf-8"><title>Itself</title><link rel="icon" href="data:,"><output></output>
    <script type="module">
      import { prepareCloud, prepareImage, sampleCloud } from './romo/data/index.js';
      import { embedClouds, embedImages, loadEncoders, openDevice } from './romo/encoders.js';
      import { parseGeometry } from './romo/files/index.js';
      import { readGallery } from './romo/search/index.js';

      const gpu = await openDevice();
      const get = async (name) => (await fetch(name)).blob();
      const bytesOf = async (name) => new Uint8Array(await (await get(name)).arrayBuffer());
      const model = loadEncoders(gpu, await bytesOf('model.safetensors'));
      const gallery = await readGallery(gpu, (name) => get('gallery/' + name));
      const found = [];
      const search = async (id, modality, vector) => {
        const [answers] = await gallery.search(vector, { top: 20, modality });
        found.push([id, answers[0].similarity, answers.find((answer) => answer.id === id)?.similarity]);
      };
      for (const id of ${JSON.stringify(SHAPES)}) {
        const geometry = await parseGeometry(await bytesOf('files/' + id), id);
        const cloud = sampleCloud(prepareCloud(geometry, id, model.preparation), model.preparation);
        await search(id, 'points', await embedClouds(model, cloud));
      }
      for (const id of ${JSON.stringify(PICTURES)}) {
        const bitmap = await createImageBitmap(await get('files/' + id), { colorSpaceConversion: 'none' });
        const { width, height } = bitmap;
        const context = new OffscreenCanvas(width, height).getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
        await search(id, 'image', await embedImages(model, prepareImage(pixels, [height, width, 3], model.preparation)));
      }
      document.querySelector('output').textContent = JSON.stringify({ found });
    </script>`,
  );
  const { found } = await outputOf(folder, 'found');
  assert.is(found.length, SHAPES.length + PICTURES.length);
  // As near as the first, since some of the files hold the same object.
  for (const [id, first, itself] of found)
    assert.ok(Math.abs(itself - 1) < 1e-5 && first - itself < 1e-6, `${id}: the first ${first}, itself ${itself}`);
});

test.run();
