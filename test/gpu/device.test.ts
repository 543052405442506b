/** The device: its errors name the cause, its loss is noticed, and the process exits by itself. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { concat } from '../../src/autograd/concat.ts';
import { knn } from '../../src/autograd/knn.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { maxPool2d } from '../../src/autograd/max_pool2d.ts';
import { add, scale } from '../../src/autograd/pointwise.ts';
import { record } from '../../src/autograd/tape.ts';
import { openDevice } from '../../src/tensor/device.ts';
import { RomoError } from '../../src/tensor/error.ts';
import { kernel, program } from '../../src/tensor/kernel.ts';
import { launch } from '../../src/tensor/launch.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('device');

/** The error that `body` fails with. */
async function failure(body: () => unknown): Promise<RomoError> {
  try {
    await body();
  } catch (error) {
    assert.instance(error, RomoError, `a RomoError, not ${error}`);
    return error as RomoError;
  }
  assert.unreachable('an error was expected');
  throw new Error();
}

const WGSL = `
struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < sizes.count) {
    out[id.x] = x[id.x];
  }
}
`;

test('numbers that do not fill a shape, and shapes that are none', async () => {
  const { code, message } = await failure(() => gpu().tensor([1, 2, 3], [2, 2]));
  assert.is(code, 'shape');
  assert.match(message, /3 numbers do not fill the shape \[2,2\]/);
  assert.match((await failure(() => gpu().empty([2, 0]))).message, /invalid shape \[2,0\]/);
  assert.match((await failure(() => gpu().empty([1.5]))).message, /invalid shape \[1.5\]/);
  assert.match((await failure(() => gpu().empty([2 ** 40]))).message, /buffer limit/);
  using _ = gpu().scope();
  assert.match((await failure(() => gpu().empty([2], 'i32').readFloats())).message, /holds i32/);
});

test('numbers come back as they went in, by dtype', async () => {
  using _ = gpu().scope();
  assert.equal(await gpu().tensor([1.5, -2], [2]).read(), Float32Array.of(1.5, -2));
  assert.equal(await gpu().tensor([1, -2], [2], 'i32').read(), Int32Array.of(1, -2));
  assert.equal(await gpu().tensor(Uint32Array.of(1, 0xffffffff), [2]).read(), Uint32Array.of(1, 0xffffffff));
  const data = Float32Array.of(1, 2);
  const copied = gpu().tensor(data, [2]);
  data[0] = 9;
  assert.equal(await copied.read(), Float32Array.of(1, 2));
});

test('a disposed tensor is named', async () => {
  const x = gpu().tensor([1, 2], [1, 2]);
  x.dispose();
  const { code, message } = await failure(() => scale(x, 2));
  assert.is(code, 'disposed');
  assert.match(message, /pointwise.unary OP=9: the tensor x \[1,2\] was disposed of/);
});

test('a tensor of another dtype than the kernel reads is named', async () => {
  using _ = gpu().scope();
  const floats = gpu().tensor([1, 2], [2]);
  const integers = gpu().tensor(Int32Array.of(1, 2), [2]);
  const { code, message } = await failure(() => add(integers, floats));
  assert.is(code, 'dtype');
  assert.match(message, /pointwise.binary OP=0: x \[2\] holds i32, the kernel takes f32/);
  assert.match((await failure(() => concat([integers, integers], 0))).message, /x \[2\] holds i32/);
  assert.match((await failure(() => knn(integers.view([1, 2, 1]), 1))).message, /holds i32, the kernel takes f32/);
  assert.match((await failure(() => maxPool2d(integers.view([1, 2, 1, 1]), { kernel: 1, stride: 1 }))).message, /i32/);
});

test('a misspelt binding, a missing and a superfluous size', async () => {
  using _ = gpu().scope();
  const x = gpu().tensor([1, 2], [2]);
  const out = gpu().empty([2]);
  const copy = () => kernel(program('mine', WGSL), 'copy');
  assert.match((await failure(() => launch(copy(), { x, out }, {}))).message, /mine.copy: the size count/);
  const two = { count: 2, counts: 2 };
  assert.match((await failure(() => launch(copy(), { x, out }, two))).message, /sizes are count,counts/);
  const misspelt = await failure(() => launch(copy(), { x, output: out }, { count: 2 }, { invocations: 2 }));
  assert.match(misspelt.message, /mine.copy: no binding is called output. There are x, out./);
  const same = copy();
  launch(same, { x, out }, { count: 2 });
  assert.equal(await out.read(), Float32Array.of(1, 2), 'and the queue goes on');
  launch(same, { out, x }, { count: 2 }); // names bind, not their order
  assert.equal(await out.read(), Float32Array.of(1, 2));
  const fewer = await failure(async () => {
    launch(same, { out }, { count: 2 });
    await gpu().submit();
  });
  assert.match(fewer.message, /mine.copy: its bindings are x,out, not out/);
});

test('a kernel that does not compile shows its numbered lines', async () => {
  using _ = gpu().scope();
  const x = gpu().tensor([1, 2], [2]);
  const out = gpu().empty([2]);
  const broken = kernel(program('broken', WGSL.replace('= x[id.x]', '= y[id.x]')), 'copy');
  const { code, message } = await failure(async () => {
    launch(broken, { x, out }, { count: 2 });
    await gpu().submit();
  });
  assert.is(code, 'kernel');
  assert.match(message, /broken.copy does not compile/);
  assert.match(message, /line 12: .*(unresolved value 'y'|identifier: `y`)/); // Tint, naga
  assert.match(message, / 12 {6}out\[id.x\] = y\[id.x\];/);
  await gpu().finish(); // the device goes on
});

test('tapes: backward needs something to start from, and does not nest', async () => {
  using _ = gpu().scope();
  const x = gpu().tensor([1, 2], [2]);
  x.requiresGrad = true;
  const vector = record(gpu(), () => scale(x, 2));
  assert.match((await failure(() => vector.backward())).message, /the output has shape \[2\], not \[1\]/);
  vector.end();
  const nested = await failure(() => record(gpu(), () => record(gpu(), () => x).loss ?? x));
  assert.match(nested.message, /Tapes do not nest/);
  assert.is(gpu().tape, null);
});

test('an adapter that is not there', async () => {
  const { code, message } = await failure(() => openDevice({ adapter: 'no such adapter' }));
  assert.is(code, 'no-adapter');
  assert.match(message, /no such adapter.*doctor/s);
});

test('a system that does not answer is not waited for without end', async () => {
  const { entryPoint } = gpu();
  const kind = Object.getPrototypeOf(entryPoint);
  const { requestAdapter } = kind;
  const { setTimeout } = globalThis;
  kind.requestAdapter = () => new Promise(() => {});
  const hurried = (work: () => void, ms: number) => setTimeout(work, ms / 1000);
  Object.assign(globalThis, { setTimeout: hurried });
  try {
    const error = await openDevice().catch((reason) => reason);
    assert.is(error.code, 'no-adapter');
    assert.match(error.message, /has not answered the request for an adapter for 30 s/);
    kind.requestAdapter = async () => ({
      info: {},
      limits: {},
      features: new Set(),
      requestDevice: () => new Promise(() => {}),
    });
    assert.match((await openDevice().catch((reason) => reason)).message, /the request for a device for 30 s/);
  } finally {
    Object.assign(globalThis, { setTimeout });
    kind.requestAdapter = requestAdapter;
  }
});

test("with WebGPU's guaranteed limits: a product of 65,535 workgroups and more", async () => {
  const small = await openDevice({ limits: 'default' });
  try {
    assert.is(small.device.limits.maxComputeWorkgroupsPerDimension, 65535);
    const rows = 65535 * 64 + 63;
    const x = small.tensor(new Float32Array(rows).fill(1.5), [rows, 1]);
    const y = await matmul(x, small.tensor([2], [1, 1])).readFloats();
    assert.ok(y.every((value) => value === 3));
  } finally {
    small.close();
  }
});

test('a lost device is an error when something is read, and on every call after that', async () => {
  const lost = await openDevice();
  const x = lost.tensor([1, 2], [2]);
  await lost.finish();
  lost.device.destroy();
  for (const call of [() => x.read(), () => lost.submit(), () => scale(x, 2).read(), () => lost.finish()]) {
    const { code, message } = await failure(call);
    assert.is(code, 'device-lost');
    assert.match(message, /the GPU was lost.*last checkpoint/s);
  }
  lost.close();
});

test('a closed device says so', async () => {
  const closed = await openDevice();
  closed.close();
  closed.close(); // twice does nothing
  assert.is((await failure(() => closed.submit())).code, 'closed');
});

test('the process ends by itself once the device is closed', () => {
  const self = fileURLToPath(import.meta.url);
  const { status, signal } = spawnSync(process.execPath, [self, 'open-and-close'], { timeout: 60000, stdio: 'ignore' });
  assert.is(signal, null, 'it did not end within a minute');
  assert.is(status, 0);
});

if (process.argv[2] === 'open-and-close') {
  const own = await openDevice();
  await scale(own.tensor([1], [1]), 2).read();
  own.close();
} else test.run();
