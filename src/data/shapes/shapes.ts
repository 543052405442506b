import type { DataOptions, DataSet } from '../types.ts';
export async function openShapes(_options: DataOptions): Promise<DataSet> {
  throw new Error('not yet');
}
