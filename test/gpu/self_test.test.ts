/** The self-test: it passes on every backend, and notices a broken kernel of each family. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type BackendName, loadBackend } from '../../src/backends/backend.ts';
import { searchBlocks } from '../../src/search/exact.ts';
import { EXPECTED } from '../../src/selftest/expected.ts';
import { families, type Use } from '../../src/selftest/families.ts';
import { ensure } from '../../src/selftest/remembered.ts';
import { examine, fingerprint, type Outcome, selfTest } from '../../src/selftest/selftest.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import { KernelCache } from '../../src/tensor/kernel.ts';
import { gpuSuite, VARIANTS, withVariant } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('self-test', { selfTest: false });
const isDeno = 'Deno' in globalThis;
const { recall, remember } = isDeno
  ? await import('../../src/selftest/memo.browser.ts')
  : await import('../../src/selftest/memo.node.ts');
const ALL = Object.values(await families()).flat();

test('what is expected is what the definitions compute here, where each is held to its float64 reference', async () => {
  const found: Record<string, number[]> = {};
  await withVariant(gpu(), 'reference', async () => {
    for (const { name, run } of ALL) {
      using _ = gpu().scope();
      found[name] = Object.values(await run(gpu())).map((values) => Number(fingerprint(values).sum.toPrecision(9)));
    }
  });
  const isNear = (name: string) =>
    found[name].length === EXPECTED[name]?.length &&
    found[name].every((sum, i) => Math.abs(sum - EXPECTED[name][i]) <= 1e-5 * Math.max(1, Math.abs(sum)));
  const wrong = Object.keys(found).filter((name) => !isNear(name));
  assert.equal(wrong, [], `expected.ts should be ${JSON.stringify(found)}`);
  assert.equal(Object.keys(EXPECTED), Object.keys(found));
});

for (const variant of VARIANTS) {
  test(`passes on the backend ${variant}`, async () => {
    const faults = await withVariant(gpu(), variant, () => examine(gpu(), ALL));
    assert.equal(
      faults.map(({ family, what }) => `${family.name}: ${what}`),
      [],
    );
  });
}

/** Of each program one change: family, program, the text and its replacement, and the backend whose kernel it is. */
const MUTANTS: readonly (readonly [string, string, string, string, BackendName])[] = [
  ['elementwise kernels', 'pointwise', 'return v * w;', 'return v * v;', 'gpu'],
  ['elementwise kernels', 'concat', 'i % sizes.width', 'i % (sizes.width - 1u)', 'gpu'],
  ['elementwise kernels', 'l2_normalize', 'sum += v * v;', 'sum += abs(v);', 'gpu'],
  ['matrix products', 'matmul', 'k < sizes.inner', 'k + 1u < sizes.inner', 'reference'],
  ['matrix products', 'tiles', 'k < tile.end; k += STEPS', 'k + STEPS < tile.end; k += STEPS', 'gpu'],
  ['matrix products', 'matmul_registers', 'k < tile.end', 'k + 4u < tile.end', 'software-plain'],
  ['matrix products', 'matmul_subgroups', 'left += columns4;', 'left += columns4 - 1u;', 'software'],
  ['convolutions', 'conv2d', 'toX = pixel % sizes.toWidth;', 'toX = pixel % (sizes.toWidth - 1u);', 'gpu'],
  ['nearest neighbours', 'knn', 'squared += d * d;', 'squared += abs(d);', 'reference'],
  [
    'nearest neighbours',
    'knn_subgroups',
    'rightSums[7] += squared(q - y7)',
    'rightSums[7] += squared(q - y6)',
    'software',
  ],
  ['batch norm', 'batch_norm', 'select(sizes.slope * v, v,', 'select(v, v,', 'gpu'],
  ['EdgeConv', 'edge_conv', 'direction * p > best', 'direction * p < best', 'gpu'],
  ['pooling', 'max_pool2d', 'best = select(best, value, better)', 'best = value', 'gpu'],
  ['pooling', 'reduce', 'best = max(best, value);', 'best = value;', 'gpu'],
  ['rows and random numbers', 'gather', 'u32(index[i / sizes.width])', '(u32(index[i / sizes.width]) ^ 1u)', 'gpu'],
  ['rows and random numbers', 'softmax', 'total += e;', 'total = e;', 'gpu'],
  ['rows and random numbers', 'random', '0x1bd11bdau', '0x1bd11bdbu', 'gpu'],
  ['gradients of matrix products', 'tiles', 'b4[at + column * (sizes.inner / 4u)]', 'b4[at]', 'gpu'],
  ['gradients of convolutions', 'transpose', 'out4[at + rows4] =', 'out4[at] =', 'gpu'],
  ['gradients of convolutions', 'conv2d_columns', 'sum += columnsIn', 'sum = columnsIn', 'software'],
  ['gradients of convolutions', 'conv2d_winograd', '3u - position', '2u - position', 'software'],
  ['gradients of batch norm', 'batch_norm', 'betaSum += g;', 'betaSum = g;', 'gpu'],
  ['gradients of EdgeConv', 'reverse_graph', 'Exchange(&counts[point], 0u)', 'Exchange(&counts[point], 1u)', 'gpu'],
  ['gradients of pooling', 'max_pool2d', 'sum += select(', 'sum = select(', 'gpu'],
  ['losses', 'losses', 'mine + other, adds', 'mine, adds', 'gpu'],
  ['clustering', 'kmeans', 'count += 1.0;', 'count = 1.0;', 'gpu'],
  ['clustering', 'memory_bank', 'squares += v * v;', 'squares = v * v;', 'gpu'],
  ['a recorded step', 'optimizers', 'sizes.momentum * velocity', '0.5 * velocity', 'gpu'],
  ['search', 'search', 'score <= scores[sizes.k - 1u]', 'score < 0.0', 'gpu'],
  ['search for many queries', 'search_subgroups', 'queries = rotated(queries);', '', 'software'],
  ['search', 'search_subgroups', 'rightSums[7] += dot(z, q7)', 'rightSums[7] += dot(z, q6)', 'software'],
];

/** Runs `body` with a program changed, on kernels that are compiled anew. */
async function withMutant<T>(program: string, from: string, to: string, body: () => Promise<T>): Promise<T> {
  const { device, kernels } = gpu();
  const { createShaderModule } = device;
  let found = false;
  device.createShaderModule = (descriptor) => {
    const { label = '', code } = descriptor;
    if (label.replace(' x4', '') !== program) return createShaderModule.call(device, descriptor);
    found ||= code.includes(from);
    return createShaderModule.call(device, { label, code: code.replaceAll(from, to) });
  };
  Object.assign(gpu(), { kernels: new KernelCache(device) });
  try {
    const result = await body();
    assert.ok(found, `${program} is not compiled, or does not contain ${from}`);
    return result;
  } finally {
    Object.assign(gpu(), { kernels });
    device.createShaderModule = createShaderModule;
  }
}

const familyOf = (name: string) => ALL.filter((family) => family.name === name);

for (const [name, program, from, to, backend] of MUTANTS) {
  test(`${name}: notices ${program} with ${to}`, async () => {
    // Subgroups of eight lanes are few adapters': elsewhere `software` compiles other kernels.
    if (program.endsWith('_subgroups') && (await loadBackend(backend, gpu().device)).name !== backend) return;
    await withVariant(gpu(), backend, async () => {
      const faults = await withMutant(program, from, to, () => examine(gpu(), familyOf(name)));
      assert.equal(
        faults.map(({ family }) => family.name),
        [name],
      );
    });
  });
}

test('every family and every program has a mutant', () => {
  assert.equal(
    ALL.map(({ name }) => name).filter((name) => !MUTANTS.some(([family]) => family === name)),
    [],
  );
  const programs = ['src/shaders', 'src/backends/software'].flatMap((folder) => readdirSync(folder));
  const names = programs.filter((file) => file.endsWith('.wgsl')).map((file) => file.replace('.wgsl', ''));
  assert.equal(names.filter((name) => !MUTANTS.some(([, program]) => program === name)).sort(), []);
});

test('a driver that runs a recorded step right only once is noticed', async () => {
  const { queue } = gpu();
  const { replay } = queue;
  let runs = 0;
  queue.replay = (prepared) => {
    if (runs++ === 0) replay.call(queue, prepared);
  };
  try {
    const [{ what }] = await examine(gpu(), familyOf('a recorded step'));
    assert.match(what, /recorded less unrecorded: the weighted sum is .*, not 0/);
  } finally {
    queue.replay = replay;
  }
});

test('plainer kernels take the place of wrong ones, and the note names kernel, adapter and what to report', async () => {
  await withVariant(gpu(), 'gpu', async () => {
    const [, program, from, to] = MUTANTS.find(([, name]) => name === 'tiles') as (typeof MUTANTS)[number];
    await withMutant(program, from, to, async () => {
      const { replaced, notes } = await selfTest(gpu(), 'embedding');
      assert.equal(replaced, { multiply: 'reference', convolution: 'reference' });
      assert.is(gpu().backend.multiply, (await loadBackend('reference', gpu().device)).multiply);
      assert.is(gpu().backend.nearest, (await loadBackend('gpu', gpu().device)).nearest);
      const [ofProducts] = notes;
      assert.match(ofProducts, /^matrix products \(.*tiles\.product READS=0.*\) are computed wrongly on /);
      for (const part of [gpu().adapterName, 'the backend reference take their place', 'check.html', 'doctor'])
        assert.ok(ofProducts.includes(part), `${part} is not in: ${ofProducts}`);
    });
  });
});

test('an adapter on which the plain kernels are wrong too is refused', async () => {
  await withVariant(gpu(), 'gpu', async () => {
    await withMutant('optimizers', 'sizes.momentum * velocity', '0.5 * velocity', async () => {
      const error = await selfTest(gpu(), 'training').then(
        () => assert.unreachable(),
        (reason) => reason,
      );
      assert.is(error.code, 'self-test');
      assert.match(error.message, /a recorded step \(.*optimizers.*\) are computed wrongly on .*selfTest: false/s);
    });
  });
});

test('up to 16 queries are tested as a search, more as a bulk search', async () => {
  const uses: Use[] = [];
  const watched: Gpu = Object.assign(Object.create(gpu()), { tested: async (use: Use) => void uses.push(use) });
  for (const queries of [1, 16, 17]) {
    await searchBlocks(watched, () => [new Float32Array(24)], 4, new Float32Array(4 * queries), 1);
  }
  assert.equal(uses, ['search', 'search', 'bulk search']);
});

test('a result is remembered per adapter and version; a damaged memory is none; what it replaced is replaced again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'romo-memo-'));
  const { XDG_CACHE_HOME } = process.env;
  process.env.XDG_CACHE_HOME = folder;
  const { queue, backend } = gpu();
  const { launch } = queue;
  let launches = 0;
  queue.launch = (one) => {
    launches++;
    launch.call(queue, one);
  };
  let opened = gpu();
  const launched = async (use: Use = 'search') => {
    launches = 0;
    opened = Object.create(gpu()); // stands for a device that is opened anew
    await ensure(opened, use);
    return launches > 0;
  };
  const { warn } = console;
  const warned: string[] = [];
  console.warn = (text) => warned.push(text);
  try {
    await remember({}); // Deno's memory is a cache, which lasts from run to run
    assert.is(await launched(), true);
    assert.is(await launched(), false);
    assert.is(await launched('embedding'), true);
    const [[key]] = Object.entries(await recall());
    assert.ok(key.startsWith(`search | ${gpu().adapterName} | ${backend.name} | `), key);
    assert.not.match(key, /unbuilt|unknown/);
    if (isDeno) await remember({});
    else writeFileSync(join(folder, 'romo', 'self-tests.json'), '{ not json');
    assert.is(await launched(), true);
    assert.equal(warned, []);
    const outcome: Outcome = { replaced: { multiply: 'reference' }, notes: ['products are wrong here'] };
    await remember({ [key]: outcome, other: outcome });
    assert.is(await launched(), false);
    assert.is(opened.backend.multiply, (await loadBackend('reference', gpu().device)).multiply);
    assert.equal(warned, outcome.notes);
  } finally {
    console.warn = warn;
    queue.launch = launch;
    await remember({});
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    rmSync(folder, { recursive: true });
  }
});

test.run();
