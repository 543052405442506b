/** Opens the built-in data set. Its generator is loaded on demand, so programs with their own data do not load it. */
import type { DataOptions, LabelledDataSet } from '../types.ts';

/**
 * Generates both splits. Each cloud has twice the points that a network takes, at least 1,024, so that random draws
 * differ from epoch to epoch.
 */
export async function openShapes(options: DataOptions): Promise<LabelledDataSet> {
  const { makeSplit } = await import('./shapes.ts');
  const total = options.train + options.test;
  const train = await makeSplit('train', options.train, options, (done) => options.onProgress?.(done, total));
  const test = await makeSplit('test', options.test, options, (done) =>
    options.onProgress?.(options.train + done, total),
  );
  return { name: 'shapes', train, test, mirror: true, rotation: { axis: 2, maxDegrees: 180 } };
}
