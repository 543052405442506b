/** Opens the built-in data set. How its objects are made is loaded only then: programs with data of their own go without. */
import type { DataOptions, LabelledDataSet } from '../types.ts';

/**
 * Makes both splits. Each cloud has twice the points that a network takes, at least 1,024, so that a random draw of
 * them differs from epoch to epoch.
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
