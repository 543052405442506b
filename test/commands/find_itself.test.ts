/**
 * Each object of a gallery finds itself first, with similarity 1, whatever the set, the format, the model's own set, the
 * spelling of the path and the storage. Queries run in this process, since a gallery has many objects.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { Command } from 'commander';
import * as assert from 'uvu/assert';
import { indexCollection } from '../../src/commands/search_index.ts';
import { embedCloudFile, embedImageFile, loadModelFile, readModelFile } from '../../src/commands/search_model.ts';
import { openData } from '../../src/data/open.ts';
import type { Axis } from '../../src/data/prepare.ts';
import { findFolder } from '../../src/data/sets/folder.ts';
import type { FoundSet } from '../../src/data/sets/found.ts';
import { findMnist3d } from '../../src/data/sets/mnist3d.ts';
import { findModelnet } from '../../src/data/sets/modelnet.ts';
import { findRgbd } from '../../src/data/sets/rgbd.ts';
import { sampleCloud } from '../../src/data/subsample.ts';
import type { DataOptions } from '../../src/data/types.ts';
import { readGeometry } from '../../src/files/read.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { embedClouds, embedImages } from '../../src/romo/embedding.ts';
import { encodeModels, type LoadedEncoders } from '../../src/romo/run/model_file.ts';
import { emptyModels } from '../../src/romo/run/run.ts';
import type { Gallery, Modality } from '../../src/search/gallery.ts';
import { openGallery } from '../../src/search/open.ts';
import { startServer } from '../../tools/postgres_server.ts';
import { filePath } from '../support/files.ts';
import { glbOf, withYUp } from '../support/glb.ts';
import { gpuSuite } from '../support/gpu.ts';
import { setPath } from '../support/sets.ts';

const { test, gpu } = gpuSuite('an object finds itself');
const place = mkdtempSync(join(tmpdir(), 'romo-itself-'));
test.after(() => rmSync(place, { recursive: true, force: true }));

/** Models as trained on black and on white, grey and colour; random weights serve as well. */
const MODELS = {
  shapes: { data: 'shapes', channels: 1 },
  folder: { data: 'folder:elsewhere', channels: 3, set: { background: 1 } },
  lists: { data: 'mnist3d:elsewhere', channels: 3, set: { background: 0 } },
} as const;
type ModelName = keyof typeof MODELS;

async function modelOf(name: ModelName): Promise<{ run: string; model: LoadedEncoders }> {
  const { channels, ...own } = MODELS[name];
  const config: Config = { ...PRESETS.tiny, ...own, points: 32, train: 8, test: 4, batch: 4, clusters: 2 };
  const run = join(place, name);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'model.safetensors'), await encodeModels(emptyModels(gpu(), config, channels), config));
  return { run, model: loadModelFile(gpu(), readModelFile(run)) };
}

type Storage = 'files' | 'pglite' | 'server';
const server = await startServer();
test.after(() => server.remove());

let galleries = 0;
/** Indexes in this process as `node dist/search.js index` does, because starting a program takes longer than a set this small. */
async function indexed(run: string, data: string | undefined, storage: Storage, own: object = {}) {
  const name = `gallery-${galleries++}`;
  const path = join(place, name);
  const to = { files: path, pglite: `pglite:${path}`, server: `${server.url}/postgres?schema=${name}` }[storage];
  const options = { to, data, split: 'all', thumbnails: false, quiet: true, workers: 0, cacheDir: 'none', ...own };
  const command = new Command('index');
  for (const [name, value] of Object.entries(options)) command.setOptionValue(name, value);
  await indexCollection(run, command);
  return to;
}

async function open<T>(to: string, body: (gallery: Gallery) => Promise<T>): Promise<T> {
  const gallery = await openGallery(to, null, async () => gpu());
  try {
    return await body(gallery);
  } finally {
    await gallery.close();
  }
}

/** Is the object the first answer, or as near as the first, since some sets hold the same object twice? */
async function assertFirst(gallery: Gallery, vector: Float32Array, modality: Modality, id: string, how: string) {
  const [answers] = await gallery.search(vector, { top: 50, modality });
  const own = answers.find((answer) => answer.id === id);
  const { similarity } = answers[0];
  const told = `${how}: ${id} (${modality}) finds ${answers[0].id} ${answers[0].similarity}, itself ${own?.similarity}`;
  assert.ok(Math.abs(similarity - 1) < 1e-5 && similarity - (own?.similarity ?? 0) < 1e-6, told);
}

/** The path, another spelling of it, an absolute one, and a copy of another name: one of them per object. */
function spelled(path: string, i: number): string {
  const copy = join(place, `copy-${galleries++}${extname(path)}`);
  copyFileSync(path, copy);
  return [copy, `${dirname(path)}/../${basename(dirname(path))}/./${basename(path)}`, resolve(path), path][i % 4];
}

/** All files of a set, each asked under several names. */
async function assertFiles(to: string, model: LoadedEncoders, found: FoundSet, up: Axis = 'z'): Promise<void> {
  await open(to, async (gallery) => {
    for (const { ids, plan } of [found.train, ...(found.test ? [found.test] : [])]) {
      for (const [i, id] of ids.entries()) {
        const files =
          plan.kind === 'files' ? plan.items[i] : plan.kind === 'meshes' ? { geometry: plan.files[i] } : null;
        if (!files) throw new Error(plan.kind);
        const cloud = await embedCloudFile(model, spelled(files.geometry, i), up);
        await assertFirst(gallery, cloud.vector, 'points', id, files.geometry);
        if (!('image' in files)) continue;
        const image = await embedImageFile(model, spelled(files.image, i), files.mask);
        await assertFirst(gallery, image.vector, 'image', id, files.image);
      }
    }
  });
}

/** All objects of a set, embedded by the library from what the set loads. */
async function assertObjects(to: string, model: LoadedEncoders, spec: string, options: Partial<DataOptions> = {}) {
  const wanted = { train: 100, test: 100, fewerWillDo: { train: true, test: true } };
  const data = await openData(spec, { ...model.preparation, ...wanted, ...options });
  await open(to, async (gallery) => {
    for (const { pairs } of [data.train, data.test]) {
      const samples = await pairs.load(Array.from({ length: pairs.length }, (_, i) => i));
      for (const [i, { image, cloud }] of samples.entries()) {
        const rows = await embedClouds(model, sampleCloud(cloud, model.preparation));
        await assertFirst(gallery, rows, 'points', pairs.id(i), spec);
        await assertFirst(gallery, await embedImages(model, image), 'image', pairs.id(i), spec);
      }
    }
  });
  if ('close' in data) await data.close();
}

for (const name of Object.keys(MODELS) as ModelName[]) {
  test(`files of a folder, of RGB-D Object and of list files, with a model of ${MODELS[name].data}`, async () => {
    const { run, model } = await modelOf(name);
    const [folder, rgbd, lists] = ['folder', 'rgbd', 'mnist_lists'].map(setPath);
    const storage = ({ shapes: 'pglite', folder: 'server', lists: 'files' } as const)[name];
    await assertFiles(await indexed(run, `folder:${folder}`, storage), model, await findFolder(folder));
    const frames = await findRgbd(rgbd, { everyFrame: 1, heldOutInstance: 1 });
    await assertFiles(await indexed(run, `rgbd:${rgbd}`, 'files', { onBad: 'skip' }), model, frames);
    await assertFiles(await indexed(run, `mnist3d:${lists}`, 'files'), model, await findMnist3d(lists));
  });
}

test('meshes of ModelNet, voxels, 3D MNIST and shapes', async () => {
  const { run, model } = await modelOf('shapes');
  const modelnet = setPath('modelnet');
  const meshes = await indexed(run, `modelnet:${modelnet}`, 'files');
  await assertFiles(meshes, model, await findModelnet(modelnet));
  await assertObjects(meshes, model, `modelnet:${modelnet}`);
  const voxels = `voxels:${setPath('voxels/boxes.npz')}`;
  await assertObjects(await indexed(run, voxels, 'files', { onBad: 'skip' }), model, voxels, { onBad: 'skip' });
  const digits = `mnist3d:${setPath('mnist_hdf5')}`;
  await assertObjects(await indexed(run, digits, 'files'), model, digits);
  await assertObjects(await indexed(run, undefined, 'files'), model, 'shapes', { train: 8, test: 4 });
});

/** Every 3D format, with pictures that are not square, transparent, turned by EXIF, grey, CMYK. */
const PAIRS = [
  ['alpha.png', 'scene.glb'],
  ['exif.jpg', 'binary.stl'],
  ['palette.png', 'compressed.pcd'],
  ['cmyk.jpg', 'f8_big_fortran.npy'],
  ['rgb.webp', 'mesh.obj'],
  ['grey.png', 'little.ply'],
  ['one_bit.png', 'plain.off'],
  ['rgb_maskcrop.png', 'cloud.xyz'],
] as const;

test('every format, with each axis up', async () => {
  const folder = join(place, 'formats');
  mkdirSync(folder);
  for (const [i, [picture, shape]] of PAIRS.entries()) {
    copyFileSync(filePath(picture), join(folder, `object${i}${extname(picture)}`));
    copyFileSync(filePath(shape), join(folder, `object${i}${extname(shape)}`));
  }
  const { run, model } = await modelOf('shapes');
  for (const up of ['x', 'y', 'z'] as const) {
    const to = await indexed(run, `folder:${folder}`, 'files', { up });
    await open(to, async ({ model: stamp }) => assert.is(stamp.preparation?.up, up));
    await assertFiles(to, model, await findFolder(folder), up);
  }
});

test('meshes with z up, asked as GLB and as files with y up, and the other way round', async () => {
  const { run, model } = await modelOf('shapes');
  const folder = join(place, 'both');
  mkdirSync(folder);
  const kinds = ['box', 'plank'].flatMap((kind) => [0, 1].map((i) => [kind, i] as const)); // meshes;
  const extensions = ['off', 'obj'];
  const turned: string[] = [];
  for (const [kind, i] of kinds) {
    const from = setPath(`folder/${kind}/${kind}_${i}.${extensions[i]}`);
    const mesh = withYUp(await readGeometry(from));
    const name = `${kind}_${i}`;
    copyFileSync(setPath('folder/box/box_0.png'), join(folder, `${name}.png`));
    writeFileSync(join(folder, `${name}.glb`), glbOf(mesh));
    const obj = join(place, `${name}.obj`);
    const lines = (word: string, values: ArrayLike<number>, first: number) =>
      Array.from({ length: values.length / 3 }, (_, row) =>
        [word, ...[0, 1, 2].map((i) => values[3 * row + i] + first)].join(' '),
      );
    writeFileSync(obj, [...lines('v', mesh.positions, 0), ...lines('f', mesh.triangles as Uint32Array, 1)].join('\n'));
    turned.push(obj);
  }
  const zUp = await indexed(run, `folder:${setPath('folder')}`, 'files');
  await open(zUp, async (gallery) => {
    for (const [at, [kind, i]] of kinds.entries()) {
      const id = `${kind}/${kind}_${i}`;
      const glb = await embedCloudFile(model, join(folder, `${kind}_${i}.glb`), 'z');
      await assertFirst(gallery, glb.vector, 'points', id, 'glb');
      const obj = await embedCloudFile(model, turned[at], 'y');
      await assertFirst(gallery, obj.vector, 'points', id, 'y up');
    }
  });
  const glbs = await indexed(run, `folder:${folder}`, 'files');
  await open(glbs, async (gallery) => {
    for (const [kind, i] of kinds) {
      const { vector } = await embedCloudFile(model, setPath(`folder/${kind}/${kind}_${i}.${extensions[i]}`), 'z');
      await assertFirst(gallery, vector, 'points', `${kind}_${i}`, 'z up among GLB');
    }
  });
});

test.run();
