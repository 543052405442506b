/** From what a user writes after `--data` to a data set. */
import { RomoError } from '../tensor/error.ts';
import { openShapes } from './shapes/shapes.ts';
import type { DataOptions, LabelledDataSet } from './types.ts';

/**
 * @param spec `shapes` (built in, made by the program) or `mnist3d:DIR`, where DIR holds MNIST's four IDX files
 */
export async function openData(spec: string, options: DataOptions): Promise<LabelledDataSet> {
  checkWhole('image size', options.imageSize, 8, 1024);
  checkWhole('number of points', options.points, 1, 65_536);
  checkWhole('number of training objects', options.train, 1, 10_000_000);
  checkWhole('number of test objects', options.test, 1, 10_000_000);
  const colon = spec.indexOf(':');
  const kind = colon < 0 ? spec : spec.slice(0, colon);
  const folder = colon < 0 ? '' : spec.slice(colon + 1);
  if (kind === 'shapes' && colon < 0) return openShapes(options);
  if (kind === 'mnist3d') {
    if (folder === '') {
      throw new RomoError('data', `data '${spec}' names no folder`, 'Write mnist3d:DIR, DIR being the folder of MNIST');
    }
    // Reads files, which a browser cannot: loaded only where it is asked for.
    const { openMnist3d } = await import('./mnist3d.ts');
    return openMnist3d(folder, options);
  }
  throw new RomoError('data', `data '${spec}' is not known`, "Use 'shapes' or 'mnist3d:DIR'");
}

function checkWhole(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new RomoError('data', `data: ${what} ${value} is not valid`, `Give a whole number from ${low} to ${high}`);
}
