/** Runs that do not fit: the error names the run, its bytes and the largest batch that fits; that batch then runs. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { largestBatch } from '../../src/romo/run/fitting.ts';
import { run } from '../../src/romo/run/run.ts';
import { type Gpu, openDevice } from '../../src/tensor/device.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('fitting');
const MIB = 2 ** 20;

function tiny(batch: number): Config {
  const config = { ...structuredClone(PRESETS.tiny), train: 60, test: 10, batch, clusters: 4 };
  Object.assign(config.ssm, { epochs: 1 });
  Object.assign(config.rdl, { epochs: 1 });
  return config;
}

/** The error of a run, or null. */
async function refusal(opened: Gpu, config: Config): Promise<RomoError | null> {
  try {
    const { models } = await run(opened, await openShapes(config), config);
    models.ssm.dispose();
    models.rdl.dispose();
    return null;
  } catch (error) {
    assert.instance(error, RomoError, String(error));
    return error as RomoError;
  }
}

const named = (fault: RomoError | null): number => Number(/The largest batch that fits is (\d+)/.exec(`${fault}`)?.[1]);

/** Reads the largest batch from the message, runs it, and checks that a slightly larger one is rejected. */
async function sees(open: () => Promise<Gpu>, tooLarge: RegExp, of = tiny): Promise<void> {
  let opened = await open();
  const fault = await refusal(opened, of(60));
  opened.close();
  assert.is(fault?.code, 'memory', `${fault}`);
  assert.match((fault as RomoError).message, tooLarge);
  const batch = named(fault);
  assert.ok(batch >= 2 && batch < 60, (fault as RomoError).message);
  opened = await open();
  assert.is(await refusal(opened, of(batch)), null, `batch ${batch}`);
  opened.close();
  opened = await open();
  assert.ok(named(await refusal(opened, of(batch + 4))) >= batch - 4, `batch ${batch + 4}`);
  opened.close();
}

for (const [recipe, withinClouds] of [['paper'], ['robust'], ['robust', 0.5]] as const) {
  const of = (batch: number) => {
    const config = withRecipe(tiny(batch), recipe);
    return { ...config, ssm: { ...config.ssm, withinClouds } };
  };
  test(`over the cap of memory, recipe ${recipe}${withinClouds ? ', two views of each cloud' : ''}`, async () => {
    const free = await openDevice();
    assert.is(await refusal(free, of(60)), null);
    const memoryBytes = Math.round(0.6 * free.memory().peakBytes); // backends differ in what a step needs
    free.close();
    const words = '^a batch of 60 pairs is too large: a tensor \\[[\\d,]+\\] of \\d+ bytes does not fit: \\d+ of';
    await sees(() => openDevice({ memoryBytes }), new RegExp(`${words} ${memoryBytes} bytes`), of);
  });
}

test('over the GPU’s limit of one buffer', () =>
  sees(async () => {
    const opened = await openDevice();
    const { device } = opened;
    const limits: Record<string, unknown> = {};
    for (const key in device.limits) limits[key] = device.limits[key as keyof GPUSupportedLimits];
    Object.defineProperty(device, 'limits', { value: { ...limits, maxBufferSize: MIB / 2 } });
    opened.pool = opened.newPool(2 ** 32);
    return opened;
  }, /a tensor \[[\d,]+\] of \d+ bytes is over this GPU's buffer limit of 524288/));

test('a GPU that has no more memory: the tensor is named, and the largest batch is of what it gave', async () => {
  const opened = await openDevice();
  const { device } = opened;
  const before = opened.memory().liveBytes;
  device.popErrorScope = async () => ({ message: 'a stand-in: nothing is left' }) as GPUError;
  const large = opened.empty([1024, 4096]); // 16 MiB: watched
  try {
    await opened.finish();
    await opened.finish();
    assert.unreachable('nothing was thrown');
  } catch (error) {
    assert.is((error as RomoError).code, 'memory');
    assert.match(
      (error as RomoError).message,
      /no memory for a tensor \[1024,4096\] of 16777216 bytes in addition to \d+ in use/,
    );
  }
  large.dispose();
  assert.ok(opened.budget.limit <= before + 4096);
  opened.close();
});

test('freed buffers make room under a cap, and the GPU is left as it was by the search for a batch', async () => {
  const opened = await openDevice({ memoryBytes: 2 * MIB });
  for (let i = 0; i < 10; i++) opened.empty([100_000 + 40_000 * i]).dispose();
  assert.ok(opened.memory().pooledBytes <= 2 * MIB);
  const x = opened.tensor([1, 2, 3], [3]);
  const { liveBuffers, created } = opened.memory();
  const config = tiny(60);
  assert.ok(largestBatch(opened, config, [config.imageSize, config.imageSize, 1]) < 8);
  assert.equal([opened.memory().liveBuffers, opened.memory().created], [liveBuffers, created]);
  assert.equal([...(await x.readFloats())], [1, 2, 3]);
  opened.close();
});

test('what fits without end has the largest batch asked for, less one', () => {
  const config = tiny(8);
  assert.is(largestBatch(gpu(), config, [config.imageSize, config.imageSize, 1]), 7);
});

test.run();
