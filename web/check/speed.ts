/** A short benchmark: how fast this device runs what training spends its time on. */
import { add, conv2d, type Gpu, knn, matmul, randomUniform, type Tensor } from 'romo';

export interface Speed {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

interface Work {
  readonly what: string;
  readonly unit: string;
  /** per run, in the unit times seconds */
  readonly amount: number;
  run(): Tensor;
}

/** @param scale 1 on a GPU; a software adapter gets less to do, so that a run does not take the whole time */
function worksOf(gpu: Gpu, scale: number): readonly Work[] {
  const random = (shape: readonly number[]) => randomUniform(gpu, shape, [1, 2], -1, 1).keep();
  const side = 1024 * scale;
  const [a, b] = [random([side, side]), random([side, side])];
  const pixels = 56 * scale;
  const [images, weight] = [random([8, pixels, pixels, 64]), random([3, 3, 64, 64])];
  const cloud = random([8, 1024 * scale, 64]);
  const length = 2 ** 24 * scale * scale;
  const [x, y] = [random([length]), random([length])];
  const of = (operations: number) => ({ unit: 'GFLOP/s', amount: operations / 1e9 });
  return [
    { what: `Matrix product, ${side} x ${side}`, ...of(2 * side ** 3), run: () => matmul(a, b) },
    {
      what: `Convolution 3x3, 64 to 64 channels, ${pixels} x ${pixels} pixels`,
      ...of(2 * 8 * pixels ** 2 * 9 * 64 ** 2),
      run: () => conv2d(images, weight, { padding: 1 }),
    },
    {
      what: `20 nearest neighbours among ${1024 * scale} points`,
      unit: 'million pairs/s',
      amount: (8 * (1024 * scale) ** 2) / 1e6,
      run: () => knn(cloud, 20),
    },
    { what: 'Memory, addition', unit: 'GB/s', amount: (12 * length) / 1e9, run: () => add(x, y) },
  ];
}

/** Runs `work` again and again for the given time, the last half of which counts. */
async function speedOf(gpu: Gpu, work: Work, seconds: number): Promise<Speed> {
  let [runs, count] = [0, 1];
  let begin = performance.now();
  const end = begin + 1000 * seconds;
  let warm = false;
  do {
    const started = performance.now();
    for (let i = 0; i < count; i++) work.run().dispose();
    await gpu.finish();
    runs += count;
    const now = performance.now();
    if (now - started < 100) count *= 2;
    if (!warm && now > end - 500 * seconds) {
      warm = true;
      [runs, begin] = [0, now];
    }
  } while (performance.now() < end || runs === 0);
  return { what: work.what, unit: work.unit, value: (work.amount * runs) / ((performance.now() - begin) / 1000) };
}

/** How long it takes to read one number back: what a step pays that reads its loss. */
async function latencyOf(gpu: Gpu, seconds: number): Promise<Speed> {
  using _scope = gpu.scope();
  const x = gpu.tensor([1], [1]);
  const begin = performance.now();
  let reads = 0;
  do {
    await x.read();
    reads++;
  } while (performance.now() - begin < 1000 * seconds);
  return { what: 'Reading one number', unit: 'ms', value: (performance.now() - begin) / reads };
}

/** Measures for about the given time, and reports each result when it is there. */
export async function measure(gpu: Gpu, seconds: number, onSpeed: (speed: Speed) => void): Promise<void> {
  using _scope = gpu.scope();
  const works = worksOf(gpu, gpu.software ? 0.25 : 1);
  const each = seconds / (works.length + 0.5);
  for (const work of works) onSpeed(await speedOf(gpu, work, each));
  onSpeed(await latencyOf(gpu, each / 2));
}
