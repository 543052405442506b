/** Transposed copies of matrices, for kernels that read rows as vec4. */
import source from '../shaders/transpose.wgsl';
import { kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';

const transposeProgram = program('transpose', source);
const transposeKernel = kernel(transposeProgram, 'transposeScalar');
const transpose4Kernel = kernel(transposeProgram, 'transpose4');

/** x, as [batches, rows, columns] -> [batches, columns, rows]; the new rows are padded with zeros to a multiple of 4. */
export function transposed(x: Tensor, batches: number, rows: number, columns: number): Tensor {
  const out4 = x.gpu.empty([batches, columns, 4 * Math.ceil(rows / 4)]);
  const sizes = { batches, rows, columns };
  const invocations = 64 * batches * Math.ceil(rows / 32) * Math.ceil(columns / 32);
  if (columns % 4 === 0) launch(transpose4Kernel, { x4: x, out4 }, sizes, { invocations });
  else launch(transposeKernel, { x, out4 }, sizes, { invocations });
  return out4;
}
