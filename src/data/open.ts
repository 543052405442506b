/** Opens the data set that `--data` names. */
import { RomoError } from '../tensor/error.ts';
import { ALL, backgroundOf, DATA_FIELDS, faultsOf, PREPARED_FIELDS, SET_FIELDS } from './fields.ts';
import type { FoundSet } from './sets/found.ts';
import { openShapes } from './shapes/open_shapes.ts';
import type { CheckedData, DataOptions, LabelledDataSet } from './types.ts';

/** Kinds of data sets on disk. Their code is loaded on demand, since it reads files, which browsers cannot. */
const ON_DISK: Readonly<Record<string, (path: string, options: DataOptions) => Promise<FoundSet>>> = {
  mnist3d: async (path) => (await import('./sets/mnist3d.ts')).findMnist3d(path),
  modelnet: async (path) => (await import('./sets/modelnet.ts')).findModelnet(path),
  voxels: async (path) => (await import('./sets/voxels.ts')).findVoxels(path),
  rgbd: async (path, { everyFrame = 1, heldOutInstance = 1 }) =>
    (await import('./sets/rgbd.ts')).findRgbd(path, { everyFrame, heldOutInstance }),
  folder: async (path) => (await import('./sets/folder.ts')).findFolder(path),
};

const KNOWN = `Use shapes, or ${Object.keys(ON_DISK).join(':DIR, ')}:DIR.`;

/**
 * @param spec `shapes` (built in, generated), or KIND:PATH, see docs/data.md
 * @throws RomoError `data` if there is no such set, an option is invalid, or there are too few objects; `file` if a
 *   file is missing or damaged
 */
export async function openData(spec: string, options: DataOptions): Promise<LabelledDataSet | CheckedData> {
  const fields = { ...DATA_FIELDS, ...SET_FIELDS, ...PREPARED_FIELDS };
  const faults = faultsOf(fields, (name) => options[name as keyof DataOptions]);
  if (faults.length > 0) throw new RomoError('data', `data: ${faults.join('; ')}`, 'Change the data options.');
  if (spec === 'shapes') {
    if (Math.max(options.train, options.test) < ALL) return openShapes(options);
    throw new RomoError('data', 'the built-in shapes are endless, so `all` is invalid', 'Give a number.');
  }
  const colon = spec.indexOf(':');
  const kind = colon < 0 ? spec : spec.slice(0, colon);
  if (!Object.hasOwn(ON_DISK, kind)) throw new RomoError('data', `data '${spec}' is not known`, KNOWN);
  const path = colon < 0 ? '' : spec.slice(colon + 1);
  if (path === '') throw new RomoError('data', `data '${spec}' lacks a folder`, `Write ${kind}:DIR.`);
  const { openFound } = await import('./sets/open_files.ts');
  const { background = backgroundOf(spec) } = options;
  return openFound(await ON_DISK[kind](path, options), { ...options, background });
}
