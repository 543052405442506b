/** The memory bank of the warm-up: one unit row per training sample and modality, addressed by sample index. */
import source from '../../shaders/memory_bank.wgsl';
import type { Gpu } from '../../tensor/device.ts';
import { RomoError } from '../../tensor/error.ts';
import { kernel, program } from '../../tensor/kernel.ts';
import { launch } from '../../tensor/launch.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const updateKernel = kernel(program('memory_bank', source), 'update');

/** A unit row per training sample, a moving average of its embeddings. */
export class MemoryBank {
  readonly rows: Tensor; // [samples, d], unit rows

  /** @param features [samples, d] unit rows: the samples' embeddings by the untrained encoder */
  constructor(gpu: Gpu, features: Float32Array, dimension: number) {
    this.rows = gpu.tensor(features, [features.length / dimension, dimension]).keep();
  }

  /**
   * m_i <- normalize(momentum m_i + (1 - momentum) v_i).
   * @param features [B, d] unit rows
   * @param indices i32 [B], each sample at most once
   * @throws RomoError `shape` if the shapes do not match
   */
  update(features: Tensor, indices: Tensor, momentum: number): void {
    if (features.channels !== this.rows.channels || indices.size !== features.rows) {
      throw new RomoError(
        'shape',
        `memory bank: features [${features.shape}], indices [${indices.shape}], bank [${this.rows.shape}]`,
        'Pass features [B, d] and indices [B] for a bank [samples, d].',
      );
    }
    const sizes = { rows: features.rows, channels: features.channels, momentum };
    launch(updateKernel, { memory: this.rows, features, indices }, sizes, { invocations: features.rows });
  }

  /** Frees the rows. */
  dispose(): void {
    this.rows.dispose();
  }
}
