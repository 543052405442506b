/** Exact search in a gallery on the GPU, including the upload of queries and the readback of answers. */
import { ExactIndex } from '../../src/search/exact.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import { sampleRows } from '../check.mjs';
import { hashUniform, unitRows } from '../inputs.mjs';
import type { Spec } from './step.ts';

export function searchRuns(gpu: Gpu, { rows, queries, channels, k }: Spec) {
  const unit = (name: string, count: number) =>
    Float32Array.from(unitRows(hashUniform(name, [count, channels]), channels));
  const index = new ExactIndex(gpu, channels);
  index.add(unit('gallery', rows));
  const asked = unit('queries', queries);
  let best = new Int32Array();
  const run = async () => {
    best = Int32Array.from((await index.search(asked, k)).rows);
  };
  return { run, check: async () => ({ rows: sampleRows(best, k) }) };
}
