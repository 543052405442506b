/** Matrix product: all transposes, batches and shared operands against the float64 reference, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { matmul } from '../../src/autograd/matmul.ts';
import { splitsFor } from '../../src/backends/splits.ts';
import * as reference from '../reference/matmul.ts';
import { forwardBackward } from '../support/backward.ts';
import { gpuSuite, times, VARIANTS, type Variant, withVariant } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('matmul');

interface Case {
  batch: number;
  rows: number;
  inner: number;
  columns: number;
  transposeA: boolean;
  transposeB: boolean;
  /** the operand that is one matrix for the whole batch */
  shared: 'none' | 'a' | 'b';
}

async function check(variant: Variant, { shared, ...sizes }: Case): Promise<void> {
  const { batch, rows, inner, columns, transposeA, transposeB } = sizes;
  const matrixA = transposeA ? [inner, rows] : [rows, inner];
  const matrixB = transposeB ? [columns, inner] : [inner, columns];
  const repeated = (x: Float64Array) => Float64Array.from({ length: batch * x.length }, (_, i) => x[i % x.length]);
  await withVariant(gpu(), variant, () =>
    gradcheck(gpu(), {
      name: `matmul ${variant} ${JSON.stringify(sizes)}`,
      inputs: [
        argument('a', shared === 'a' ? matrixA : [batch, ...matrixA]),
        argument('b', shared === 'b' ? matrixB : [batch, ...matrixB]),
      ],
      op: ([a, b]) => matmul(a, b, { transposeA, transposeB }),
      reference: ([a, b]) =>
        reference.matmul(shared === 'a' ? repeated(a) : a, shared === 'b' ? repeated(b) : b, sizes),
      tolerance: { rtol: 1e-4, atol: 1e-5 * Math.sqrt(inner) },
    }),
  );
}

const lengths = fc.oneof(
  fc.constantFrom(1, 2, 3, 5, 7, 9, 13, 15, 17, 31, 33, 63, 65), // scalar, 64 of them in a workgroup
  fc.constantFrom(4, 8, 12, 16, 20, 28, 32, 36, 64), // vec4; a tile is 8 x 8, or 32 x 32 or 32 x 64 with subgroups
);

const cases: fc.Arbitrary<Case> = fc.record({
  batch: fc.constantFrom(1, 1, 2, 3),
  rows: lengths,
  inner: lengths,
  columns: lengths,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  shared: fc.constantFrom('none', 'a', 'b'),
});

for (const variant of VARIANTS) {
  test(`values and gradients, ${variant} kernels`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, (c) => check(variant, c)),
      { numRuns: times(25) },
    );
  });

  test(`every transpose at the edge of a tile, ${variant} kernels`, async () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        await check(variant, { batch: 2, rows: 36, inner: 8, columns: 20, transposeA, transposeB, shared: 'none' });
        await check(variant, { batch: 1, rows: 28, inner: 12, columns: 12, transposeA, transposeB, shared: 'b' });
        for (const rows of [7, 8, 9, 31, 32, 33]) {
          await check(variant, { batch: 1, rows, inner: 4, columns: 16, transposeA, transposeB, shared: 'none' });
        }
      }
    }
  });
}

test('long sums are cut into splits', async () => {
  for (const variant of VARIANTS) {
    for (const inner of [1020, 1028, 1031]) {
      assert.ok(splitsFor(32, 2, inner) > 1);
      for (const transposeA of [false, true]) {
        await check(variant, { batch: 2, rows: 8, inner, columns: 12, transposeA, transposeB: true, shared: 'none' });
      }
    }
  }
});

test('without a batch axis', async () => {
  await gradcheck(gpu(), {
    name: 'matmul of matrices',
    inputs: [argument('a', [6, 8]), argument('b', [8, 12])],
    op: ([a, b]) => matmul(a, b),
    reference: ([a, b]) => reference.matmul(a, b, { rows: 6, inner: 8, columns: 12 }),
  });
  const x = gpu().tensor([1, 2], [1, 2]);
  const { shape } = await forwardBackward(gpu(), [x], () => matmul(x, x, { transposeA: true }));
  assert.equal(shape, [2, 2]);
});

test('a matrix times itself', async () => {
  await gradcheck(gpu(), {
    name: 'matmul of one tensor',
    inputs: [argument('x', [6, 5])],
    op: ([x]) => matmul(x, x, { transposeB: true }),
    reference: ([x]) => reference.matmul(x, x, { rows: 6, inner: 5, columns: 6, transposeB: true }),
  });
});

test('sizes that do not fit are named', () => {
  const a = gpu().empty([3, 4]);
  const b = gpu().empty([5, 2]);
  assert.throws(() => matmul(a, b), /matmul: inner sizes 4 and 5 differ \(a \[3,4\], b \[5,2\]\)/);
  assert.throws(() => matmul(a, b, { transposeB: true }), /inner sizes 4 and 2 differ, b transposed/);
  assert.throws(() => matmul(gpu().empty([2, 3, 4]), gpu().empty([3, 4, 2])), /matmul: .*a \[2,3,4\], b \[3,4,2\]/);
  assert.throws(() => matmul(gpu().empty([4]), b), /matmul: .*a \[4\]/);
});

test.run();
