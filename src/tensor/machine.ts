/**
 * Which kernels run where. The choice depends on the kind of adapter alone, never on a measurement: on one adapter every run
 * launches the same kernels and gives the same bits.
 */
export interface Machine {
  /**
   * Tiles of a matrix product. `broadcast`: 8 lanes share loads by subgroup broadcast. `registers`: each invocation loads for
   * itself. `workgroup`: tiles are staged in workgroup memory, which on a CPU is memory like any other.
   */
  readonly matmul: 'broadcast' | 'registers' | 'workgroup';
  /**
   * `products`: convolutions become matrix products (Winograd's transform, or columns), for fewer multiplications and more
   * memory traffic. `direct`: one pass over the image.
   */
  readonly convolution: 'products' | 'direct';
  /** kNN with lists that 8 lanes share */
  readonly knn: 'broadcast' | 'plain';
  /** tiles that keep all cores busy; sums are cut into parts until there are as many */
  readonly tiles: number;
  /** invocations that share a long row in softmax and the like: 64 read side by side, as a GPU wants it */
  readonly rowLanes: 1 | 64;
}

export const MACHINES = {
  /** a CPU that plays GPU with subgroups of 8 lanes: lavapipe with AVX2 */
  cpuSubgroups: { matmul: 'broadcast', convolution: 'products', knn: 'broadcast', tiles: 32, rowLanes: 1 },
  /** a CPU that plays GPU: SwiftShader */
  cpu: { matmul: 'registers', convolution: 'products', knn: 'plain', tiles: 32, rowLanes: 1 },
  gpu: { matmul: 'workgroup', convolution: 'direct', knn: 'plain', tiles: 512, rowLanes: 64 },
} as const satisfies Record<string, Machine>;

/** @param software is the adapter a CPU that plays GPU? */
export function machineOf(device: GPUDevice, software: boolean): Machine {
  if (!software) return MACHINES.gpu;
  const { adapterInfo, features } = device;
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo;
  const eight = subgroupMinSize === 8 && subgroupMaxSize === 8;
  return features.has('subgroups' as GPUFeatureName) && eight ? MACHINES.cpuSubgroups : MACHINES.cpu;
}
