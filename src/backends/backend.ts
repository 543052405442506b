/**
 * What differs between machines: how matrix products, convolutions, nearest neighbours and exact search are computed.
 * An op calls `gpu.backend`; which kernels run is decided here, by the kind of adapter alone and never by a
 * measurement, so that on one adapter every run launches the same kernels and gives the same bits.
 *
 * `reference`: the definitions, one element per invocation, sums in the obvious order. Slow; for readers and tests.
 * `gpu`: tiles staged in workgroup memory.
 * `software`: for software adapters (WebGPU on the CPU: lavapipe, SwiftShader), where workgroup memory is memory like any
 * other. Loaded only there. `software-plain` is the same without subgroups, for adapters that lack them.
 */
import { RomoError } from '../tensor/error.ts';
import type { Kernel } from '../tensor/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The names by which `openDevice` and `--backend` choose. */
export const BACKENDS = ['reference', 'gpu', 'software', 'software-plain'] as const;
/** Which kernels run. */
export type BackendName = (typeof BACKENDS)[number];

/** A product of matrices: sizes, and where in a and b they are. */
export interface Product {
  batches: number;
  rows: number;
  columns: number;
  inner: number;
  /** elements between the batches of a; 0 where all share one */
  aBatch: number;
  bBatch: number;
  /** is a stored as [inner, rows], b as [columns, inner]? */
  transposeA: boolean;
  transposeB: boolean;
}

/** Operations of a product. */
export const productWork = ({
  batches,
  rows,
  columns,
  inner,
}: Pick<Product, 'batches' | 'rows' | 'columns' | 'inner'>) => 2 * batches * rows * columns * inner;

/** Stride and padding of a convolution, [vertical, horizontal]. */
export interface Geometry {
  stride: readonly [number, number];
  padding: readonly [number, number];
}

/** One way to compute a convolution and its gradients; `shape` is that of the result. Layouts as in conv2d.ts. */
export interface Convolution {
  forward(x: Tensor, weight: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
  inputGradient(grad: Tensor, weight: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
  weightGradient(x: Tensor, grad: Tensor, shape: readonly number[], geometry: Geometry): Tensor;
}

/** How a block of a gallery is searched: in `slices` of rows, each a multiple of `unit` long. */
export interface Scan {
  readonly kernel: Kernel;
  readonly unit: number;
  readonly slices: number;
  /** invocations that scan so many slices for all queries */
  invocations(slices: number): number;
}

/** The kernels for one kind of machine. All backends give the same numbers but for rounding. */
export interface Backend {
  readonly name: BackendName;
  /** whether kernels with two readings (`kernelPair`) process four numbers per invocation */
  readonly isWide: boolean;
  /** invocations per row of logits in the losses: 64 on a GPU, so that neighbours read neighbouring addresses */
  readonly rowLanes: 1 | 64;
  /** rows that one invocation adds up in `columnSums`: short enough that many invocations run */
  readonly longestSum: number;
  /** out = a b, on tensors that can be bound whole */
  multiply(a: Tensor, b: Tensor, out: Tensor, product: Product): void;
  /** the way that suits the shapes; weight is [KH, KW, C, O] */
  convolution(x: Tensor, weight: readonly number[], geometry: Geometry): Convolution;
  /** x [B, N, C] -> neighbours [B, N, k]; see knn.ts */
  nearest(x: Tensor, neighbours: Tensor): void;
  /** see search/exact.ts */
  scan(queries: number): Scan;
}

/** Loads a backend. Software adapters have kernels of their own, which no other machine downloads. */
export async function loadBackend(name: BackendName, device: GPUDevice): Promise<Backend> {
  if (name === 'reference') return (await import('./reference.ts')).reference;
  if (name === 'gpu') return (await import('./gpu.ts')).gpu;
  if (!BACKENDS.includes(name)) {
    throw new RomoError('option', `no backend is called "${name}"`, `There are ${BACKENDS.join(', ')}.`);
  }
  const { softwareBackend } = await import('./software/software.ts');
  return softwareBackend(name === 'software' && hasEightLanes(device));
}

/** Are there subgroups, all of 8 lanes? lavapipe has them with AVX2. */
function hasEightLanes({ adapterInfo, features }: GPUDevice): boolean {
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo;
  return features.has('subgroups' as GPUFeatureName) && subgroupMinSize === 8 && subgroupMaxSize === 8;
}
