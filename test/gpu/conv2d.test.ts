/** Convolution of any kernel, stride and padding against the float64 reference, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { conv2d } from '../../src/autograd/conv2d.ts';
import * as reference from '../reference/conv2d.ts';
import { gpuSuite, times, VARIANTS, type Variant, withVariant } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('conv2d');
const size = (max: number) => fc.integer({ min: 1, max });

interface Case {
  batch: number;
  height: number;
  width: number;
  inChannels: number;
  outChannels: number;
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
}

async function check(variant: Variant, c: Case): Promise<void> {
  const { stride, padding } = c;
  const xShape = [c.batch, c.height, c.width, c.inChannels];
  const weightShape = [...c.kernel, c.inChannels, c.outChannels];
  await withVariant(gpu(), variant, () =>
    gradcheck(gpu(), {
      name: `conv2d ${variant} ${JSON.stringify(c)}`,
      inputs: [argument('x', xShape), argument('weight', weightShape)],
      op: ([x, weight]) => conv2d(x, weight, { stride, padding }),
      reference: ([x, weight]) => reference.conv2d(x, xShape, weight, weightShape, { stride, padding }),
      tolerance: { rtol: 1e-4, atol: 2e-5 },
    }),
  );
}

const pairs = (max: number, min = 1) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })) as fc.Arbitrary<[number, number]>;

const cases: fc.Arbitrary<Case> = fc.record({
  batch: size(2),
  height: size(9),
  width: size(9),
  inChannels: fc.constantFrom(1, 3, 4, 5, 8),
  outChannels: fc.constantFrom(1, 2, 4, 8, 12), // where they are multiples of 4: the vec4 kernels
  kernel: pairs(7),
  stride: fc.constantFrom<[number, number]>([1, 1], [2, 2], [3, 2]),
  padding: pairs(3, 0),
});

for (const variant of VARIANTS) {
  test(`values and gradients, ${variant} kernels`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (c) => {
        fc.pre(c.height + 2 * c.padding[0] >= c.kernel[0] && c.width + 2 * c.padding[1] >= c.kernel[1]);
        await check(variant, c);
      }),
      { numRuns: times(10) },
    );
  });

  test(`the layers of a ResNet, ${variant} kernels`, async () => {
    const image = { batch: 2, height: 7, width: 6 };
    const three = { kernel: [3, 3], padding: [1, 1] } as Pick<Case, 'kernel' | 'padding'>;
    await check(variant, { ...image, inChannels: 8, outChannels: 20, ...three, stride: [1, 1] });
    await check(variant, { ...image, inChannels: 12, outChannels: 8, ...three, stride: [2, 2] });
    await check(variant, { ...image, inChannels: 4, outChannels: 8, kernel: [1, 1], padding: [0, 0], stride: [2, 2] });
    await check(variant, { ...image, inChannels: 3, outChannels: 4, kernel: [7, 7], padding: [3, 3], stride: [2, 2] });
  });

  test(`many pixels: the weight gradient is summed in parts, ${variant} kernels`, async () => {
    // 19 x 31 output pixels: three parts of an odd length
    const long = { batch: 1, height: 19, width: 30, kernel: [1, 2], padding: [0, 1], stride: [1, 1] } as const;
    for (const inChannels of [4, 3]) {
      await check(variant, { ...structuredClone(long), inChannels, outChannels: 4 } as unknown as Case);
    }
  });
}

test('3x3 kernels with enough channels go by tiles of 4x4: images of even and odd sizes, every padding', async () => {
  const winograd = fc.record({
    batch: fc.constantFrom(1, 2, 5),
    height: size(13),
    width: size(13),
    inChannels: fc.constantFrom(16, 20, 36),
    outChannels: fc.constantFrom(16, 24, 32),
    kernel: fc.constant<[number, number]>([3, 3]),
    stride: fc.constant<[number, number]>([1, 1]),
    padding: pairs(2, 0),
  });
  for (const variant of VARIANTS) {
    await fc.assert(
      fc.asyncProperty(winograd, async (c) => {
        const [outHeight, outWidth] = [c.height + 2 * c.padding[0] - 2, c.width + 2 * c.padding[1] - 2];
        fc.pre(outHeight > 0 && outWidth > 0);
        fc.pre(c.batch * Math.ceil(outHeight / 2) * Math.ceil(outWidth / 2) >= 32);
        await check(variant, c);
      }),
      { numRuns: times(8) },
    );
  }
});

test('every stride up to 3 on every backend, kernels up to 7, padding up to 3, images that are not square', async () => {
  const strides = [1, 2, 3].flatMap((y) => [1, 2, 3].map((x): [number, number] => [y, x]));
  for (const [i, stride] of strides.entries()) {
    for (const [j, variant] of VARIANTS.entries()) {
      const n = i + 5 * j;
      const sizes = { batch: 1 + (n % 2), height: 7 + (n % 3), width: 11 - (n % 4), inChannels: 3 };
      const kernel: [number, number] = [1 + (n % 7), 1 + ((3 * n + 2) % 7)];
      const padding: [number, number] = [n % 4, (3 * n + 2) % 4];
      for (const outChannels of [4, 5]) await check(variant, { ...sizes, outChannels, kernel, stride, padding });
    }
  }
});

test('tiles: one pixel and one channel group below, at and above', async () => {
  // A tile is 8 pixels x 8 channels in registers, 32 x 32 or 32 x 64 with subgroups, 64 x 64 in workgroup memory.
  for (const variant of VARIANTS) {
    for (const width of [7, 8, 9, 31, 32, 33, 63, 64, 65]) {
      const line = { batch: 1, height: 1, width, stride: [1, 1], kernel: [1, 1], padding: [0, 0] } as const;
      for (const outChannels of [12, 16, 20]) {
        await check(variant, { ...structuredClone(line), inChannels: 4, outChannels } as unknown as Case);
      }
    }
  }
});

test('one number for both axes, and defaults', async () => {
  const xShape = [1, 5, 5, 2];
  const weightShape = [3, 3, 2, 3];
  for (const [options, exact] of [
    [
      { stride: 2, padding: 1 },
      { stride: [2, 2], padding: [1, 1] },
    ],
    [{}, { stride: [1, 1], padding: [0, 0] }],
  ] as const) {
    await gradcheck(gpu(), {
      name: 'conv2d',
      inputs: [argument('x', xShape), argument('weight', weightShape)],
      op: ([x, weight]) => conv2d(x, weight, options),
      reference: ([x, weight]) => reference.conv2d(x, xShape, weight, weightShape, exact),
    });
  }
});

test('shapes that do not fit are named', () => {
  const x = gpu().empty([1, 5, 5, 3]);
  assert.throws(() => conv2d(x, gpu().empty([3, 3, 4, 8])), /weight has 4 input channels, x has 3 \(x \[1,5,5,3\]/);
  assert.throws(() => conv2d(x, gpu().empty([7, 7, 3, 8])), /larger than the padded image/);
  assert.throws(() => conv2d(x, gpu().empty([3, 3, 3])), /need four axes/);
});

test.run();
