/** Matrix product: all transposes, batches and shared operands against the float64 reference, values and gradients. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { matmul } from '../../src/autograd/matmul.ts';
import * as reference from '../reference/matmul.ts';
import { gpuSuite } from '../support/gpu.ts';
import { argument, gradcheck } from '../support/gradcheck.ts';

const { test, gpu } = gpuSuite('matmul');
const size = (max: number) => fc.integer({ min: 1, max });

const cases = fc
  .record({
    batch: size(3),
    rows: size(20),
    inner: size(300),
    columns: size(20),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    shareB: fc.boolean(),
    step: fc.constantFrom(1, 4), // sizes that divide by 4 take the vec4 kernels
  })
  .map(({ rows, inner, columns, step, ...rest }) => {
    const up = (length: number) => step * Math.ceil(length / step);
    return { ...rest, rows: up(rows), inner: up(inner), columns: up(columns) };
  });

test('values and gradients', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ shareB, ...sizes }) => {
      const { batch, rows, inner, columns, transposeA, transposeB } = sizes;
      const matrixB = transposeB ? [columns, inner] : [inner, columns];
      const repeated = (b: Float64Array) => Float64Array.from({ length: batch * b.length }, (_, i) => b[i % b.length]);
      await gradcheck(gpu(), {
        name: 'matmul',
        inputs: [
          argument('a', [batch, ...(transposeA ? [inner, rows] : [rows, inner])]),
          argument('b', shareB ? matrixB : [batch, ...matrixB]),
        ],
        op: ([a, b]) => matmul(a, b, { transposeA, transposeB }),
        reference: ([a, b]) => reference.matmul(a, shareB ? repeated(b) : b, sizes),
        tolerance: { rtol: 1e-4, atol: 1e-4 },
        gradientAtol: 1e-4,
      });
    }),
    { numRuns: 40 },
  );
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
  assert.throws(() => matmul(a, b), /inner sizes differ: a is \[3,4\], b is \[5,2\]/);
});

test.run();
