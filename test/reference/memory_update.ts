/** The memory bank's update in float64: m_i <- normalize(momentum m_i + (1 - momentum) v_i). */
import { l2Normalize } from './l2_normalize.ts';

/**
 * @param memory [samples, channels], unit rows
 * @param features [batch, channels], normalised embeddings
 * @param index [batch], the sample of each feature
 * @returns the new memory; rows that are not in `index` keep their values
 */
export function memoryUpdate(
  memory: ArrayLike<number>,
  features: ArrayLike<number>,
  index: ArrayLike<number>,
  channels: number,
  momentum: number,
): Float64Array {
  const updated = Float64Array.from(memory);
  for (let row = 0; row < index.length; row++) {
    const mixed = new Float64Array(channels);
    for (let c = 0; c < channels; c++) {
      mixed[c] = momentum * memory[index[row] * channels + c] + (1 - momentum) * features[row * channels + c];
    }
    updated.set(l2Normalize(mixed, channels), index[row] * channels);
  }
  return updated;
}
