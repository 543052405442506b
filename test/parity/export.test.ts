/**
 * Encoders elsewhere: what onnxruntime computes from the exported ONNX models, and PyTorch from the model file, is what we
 * compute, on real objects and for batches of 1 and 3. ONNX's own checker accepts the models.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { sampleCloud } from '../../src/data/subsample.ts';
import { parseNpz } from '../../src/files/npz.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/files/safetensors.ts';
import { encodeOnnx } from '../../src/onnx/index.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { embedClouds, embedImages } from '../../src/romo/embedding.ts';
import { Encoders } from '../../src/romo/encoders.ts';
import { readModel } from '../../src/romo/run/model_contents.ts';
import { encodeModels, loadEncoders } from '../../src/romo/run/model_file.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import { sizeOf } from '../../src/tensor/tensor.ts';
import { assertClose } from '../support/close.ts';
import { runCommand, succeed } from '../support/commands.ts';
import { channelsFirst, hashWeights } from '../support/fixture.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('export');
const folder = mkdtempSync(join(tmpdir(), 'romo-export-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** The part of onnxruntime-node that is used here. It is installed in test/, see tools/setup.mjs. */
interface Runtime {
  Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => { data: Float32Array };
  InferenceSession: {
    create(
      model: Uint8Array,
      options?: object,
    ): Promise<{ run(feeds: object): Promise<{ embedding: { data: Float32Array } }> }>;
  };
}
const runtime: Runtime = createRequire(resolve('test/package.json'))('onnxruntime-node');

const { tiny } = PRESETS;
const MODELS: Readonly<Record<string, { config: Config; channels: 1 | 3 }>> = {
  'small-dgcnn': { channels: 1, config: tiny },
  'small-dgcnn-pulled': { channels: 1, config: withRecipe(tiny, 'robust') },
  '18-pointnet': {
    channels: 1,
    config: { ...tiny, imageSize: 33, resnet: 18, resnetWidth: 16, pointEncoder: 'pointnet' },
  },
  '50-dgcnn': {
    channels: 3,
    config: {
      ...tiny,
      ...{ imageSize: 48, points: 200, resnet: 50, pointWidths: [64, 64, 128], imageNormalization: 'imagenet' },
      rdl: { ...tiny.rdl, k: 20, from: 'fresh' },
    },
  },
};

/** The file of a model whose weights and running statistics are hashes of their names. */
async function fileOf(on: Gpu, config: Config, channels: number): Promise<Uint8Array> {
  const encoders = new Encoders(on, config, config.rdl, channels, { seed: 1, path: 'export' });
  const state = await encoders.stateDict();
  for (const [name, { shape }] of Object.entries(state)) {
    const isVariance = name.endsWith('running_var');
    const data = hashWeights(name, shape).map((value) => (isVariance ? 1 + Math.abs(value) : value));
    // Some scales below zero, where the maximum over the neighbours is at the smallest value.
    state[name] = {
      shape,
      data: name.endsWith('1.weight') && shape.length === 1 ? data.map((v, i) => v * (i % 3 ? 1 : -1)) : data,
    };
  }
  encoders.loadStateDict(state);
  const bytes = await encodeModels({ 'rdl.encoders': encoders }, config);
  encoders.dispose();
  return bytes;
}

/** Three objects in the form that a model takes: [3, H, W, C] and [3, N, 3]. The last cloud is a lattice, full of equal distances. */
async function objects({ imageSize, points }: Config, channels: number) {
  const { pairs } = (await openShapes({ ...tiny, imageSize, points, train: 0, test: 3 })).test;
  const samples = await pairs.load([0, 1, 2]);
  const images = samples.flatMap(({ image }) => Array.from(image).flatMap((value) => Array(channels).fill(value)));
  const lattice = Array.from({ length: points }, (_, i) =>
    [i % 7, Math.floor(i / 7) % 7, Math.floor(i / 49)].map((v) => v / 8 - 0.4),
  );
  const clouds = [
    ...samples.slice(0, 2).flatMap(({ cloud }) => [...sampleCloud(cloud, { points })]),
    ...lattice.flat(),
  ];
  return { images: Float32Array.from(images), clouds: Float32Array.from(clouds) };
}

/** An npy file of f32. */
function npy(data: Float32Array, shape: readonly number[]): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117);
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  return Buffer.concat([start, Buffer.from(`${header}\n`), new Uint8Array(data.buffer)]);
}

const at = (...name: string[]) => join(folder, name.join('.'));
const expected = new Map<string, { images: Float32Array; clouds: Float32Array }>();
const BOUND = { rtol: 0, atol: 1e-4 }; // embeddings are unit vectors

for (const [name, { config, channels }] of Object.entries(MODELS)) {
  test(`onnxruntime: ${name}`, async () => {
    const file = await fileOf(gpu(), config, channels);
    const model = loadEncoders(gpu(), file);
    const { images, clouds } = await objects(config, channels);
    const ours = { images: await embedImages(model, images), clouds: await embedClouds(model, clouds) };
    model.encoders.dispose();
    const imageShape = [3, channels, config.imageSize, config.imageSize];
    const planes = channelsFirst(images, imageShape);
    const cloudShape = [3, config.points, 3];
    expected.set(name, ours);
    for (const [path, bytes] of [
      [at(name, 'safetensors'), file],
      [at(name, 'images', 'npy'), npy(planes, imageShape)],
      [at(name, 'clouds', 'npy'), npy(clouds, cloudShape)],
    ] as const)
      writeFileSync(path, bytes);
    for (const [modality, input, data, shape, rows] of [
      ['image', 'images', planes, imageShape, ours.images],
      ['cloud', 'clouds', clouds, cloudShape, ours.clouds],
    ] as const) {
      const onnx = encodeOnnx(readModel(file), modality);
      writeFileSync(at(name, modality, 'onnx'), onnx);
      const session = await runtime.InferenceSession.create(onnx, { intraOpNumThreads: 1 });
      for (const batch of [1, 3]) {
        const feed = data.slice(0, batch * sizeOf(shape.slice(1)));
        const tensor = new runtime.Tensor('float32', feed, [batch, ...shape.slice(1)]);
        const { embedding } = await session.run({ [input]: tensor });
        assertClose(
          `${name}, ${modality}, batch ${batch}`,
          embedding.data,
          rows.subarray(0, embedding.data.length),
          BOUND,
        );
      }
    }
  });
}

test("onnxruntime: the search page's model, which is trained", async () => {
  const file = readFileSync('web/search/model.safetensors');
  const model = loadEncoders(gpu(), file);
  const { points } = model.config;
  // In the last of these clouds, the products of float32 would pick a wrong neighbour.
  const { pairs } = (await openShapes({ ...tiny, seed: 5, points, train: 0, test: 249 })).test;
  const samples = await pairs.load(Array.from({ length: 20 }, (_, i) => 229 + i));
  const clouds = Float32Array.from(samples.flatMap(({ cloud }) => [...cloud.subarray(0, 3 * points)]));
  const rows = await embedClouds(model, clouds);
  model.encoders.dispose();
  const session = await runtime.InferenceSession.create(encodeOnnx(readModel(file), 'cloud'), { intraOpNumThreads: 1 });
  const { embedding } = await session.run({ clouds: new runtime.Tensor('float32', clouds, [20, points, 3]) });
  assertClose('clouds', embedding.data, rows, BOUND);
});

test('what is no model, or lacks a layer, is refused by name', async () => {
  const file = await fileOf(gpu(), tiny, 1);
  assert.throws(() => readModel(file.subarray(0, 99), 'cut'), /cut is not a valid safetensors file/);
  const { tensors, metadata } = decodeSafetensors(file, 'model');
  const { 'rdl.encoders.points.conv2.1.running_var': _, ...others } = tensors;
  const lacking = encodeSafetensors(others, metadata);
  assert.throws(() => encodeOnnx(readModel(lacking), 'cloud'), /the model lacks points\.conv2\.1\.running_var\. Use/);
  assert.throws(() => readModel(encodeSafetensors(tensors, {})), /the model has no configuration/);
});

test('the command writes the same bytes, with the hash of the file, and says what it misses', async () => {
  const [run, onnx] = [at('run', 'safetensors'), at('command', 'onnx')];
  const file = await fileOf(gpu(), tiny, 1);
  writeFileSync(run, file);
  await succeed('export', run, '--points', onnx);
  const modelSha256 = createHash('sha256').update(file).digest('hex');
  assert.is(Buffer.compare(readFileSync(onnx), encodeOnnx(readModel(file), 'cloud', { modelSha256 })), 0);
  const { code, errors } = await runCommand('export', run);
  assert.is(code, 2);
  assert.match(errors, /nothing to write\. Name a file with --image, --points or both/);
});

test('provenance names what training started from', async () => {
  const weights = { image: 'resnet18.safetensors', imageSha256: 'ab12' };
  const text = new TextDecoder('latin1').decode(
    encodeOnnx(readModel(await fileOf(gpu(), { ...tiny, weights }, 1)), 'image'),
  );
  assert.match(text, /"labelFree":"only if the initial weights were trained without labels"/);
  assert.match(text, /"initialWeights":\{"image":"resnet18.safetensors","imageSha256":"ab12"\}/);
});

/** The first Python with that package, without loading it. */
const pythonWith = (name: string) =>
  ['/usr/bin/python3', 'python3', 'python'].find((command) => {
    const script = `import sys, importlib.util as u; sys.exit(u.find_spec("${name}") is None)`;
    return spawnSync(command, ['-c', script]).status === 0;
  });

function run(python: string, script: string): void {
  const { status, stderr } = spawnSync(python, ['-c', script, folder, ...Object.keys(MODELS)], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
}

test("ONNX's checker", () => {
  const python = pythonWith('onnx');
  if (!python) return console.log('skipped: no Python with onnx (on Debian: python3-onnx)');
  run(
    python,
    `import json, sys, onnx
for name in sys.argv[2:]:
    for modality in ("image", "cloud"):
        model = onnx.load(f"{sys.argv[1]}/{name}.{modality}.onnx")
        onnx.checker.check_model(model, full_check=True)
        found = {each.key: each.value for each in model.metadata_props}
        assert found["modality"] == modality, found
        assert json.loads(found["provenance"])["labelFree"] is True, found
        axis = model.graph.input[0].type.tensor_type.shape.dim[0]
        assert axis.dim_param == "batch", axis`,
  );
});

test('PyTorch: tools/load_in_pytorch.py', async () => {
  const python = pythonWith('torch');
  if (!python) return console.log('skipped: no Python with torch (on Debian: python3-torch)');
  run(
    python,
    `import sys
sys.path.insert(0, "tools")
sys.dont_write_bytecode = True
import load_in_pytorch
for name in sys.argv[2:]:
    path = f"{sys.argv[1]}/{name}"
    words = [f"{path}.safetensors", "--images", f"{path}.images.npy", "--clouds", f"{path}.clouds.npy"]
    sys.argv[1:], kept = [*words, "--out", f"{path}.npz"], sys.argv[1:]
    load_in_pytorch.main()
    sys.argv[1:] = kept`,
  );
  for (const [name, { images, clouds }] of expected) {
    const archive = parseNpz(readFileSync(at(name, 'npz')), name);
    for (const [key, rows] of Object.entries({ images, clouds })) {
      assertClose(`${name}, ${key}`, (await archive.array(key)).data as Float32Array, rows, BOUND);
    }
  }
});

test.run();
