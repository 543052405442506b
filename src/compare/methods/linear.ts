/**
 * The linear methods, in closed form: CCA (Hotelling 1936; for retrieval across modalities Rasiwasia et al. 2010) and PLS (Wold
 * 1985; across modalities Sharma and Jacobs 2011).
 */
import type { PairedData } from '../../data/types.ts';
import { rawRows } from '../../romo/raw.ts';
import { cca, type LinearMaps, pls, project, type Rows } from '../linear_maps.ts';
import type { LabelFreeMethod, Setting } from '../method.ts';
import { PairModel, trained } from '../training.ts';

/** Two matrices, one row per pair: of the images, and of the clouds. */
type Views = readonly [Rows, Rows];

/** Features of the untrained encoders. */
async function features(setting: Setting, pairs: PairedData): Promise<Views> {
  const model = new PairModel(setting);
  const { images, clouds, dimension } = await trained(setting, model).embed(pairs);
  model.dispose();
  return [
    { values: images, columns: dimension },
    { values: clouds, columns: dimension },
  ];
}

/** Pixels and voxels. */
async function raw(_: Setting, pairs: PairedData): Promise<Views> {
  const { images, clouds, dimension, gridDimension } = await rawRows(pairs);
  return [
    { values: images, columns: dimension },
    { values: clouds, columns: gridDimension },
  ];
}

const SOURCES = { features, raw };

function linear(
  name: string,
  what: string,
  source: string,
  fit: (images: Rows, clouds: Rows, dimension: number) => LinearMaps,
  on: keyof typeof SOURCES,
): LabelFreeMethod {
  return {
    name: `${name}-${on}`,
    kind: 'linear',
    what: `${what}, on ${on === 'raw' ? 'pixels and voxels' : 'features of the untrained encoders'}`,
    source,
    uses: 'pairs, the number of clusters; no augmentation',
    async train(setting) {
      const viewsOf = (pairs: PairedData) => SOURCES[on](setting, pairs);
      const { images, clouds } = fit(...(await viewsOf(setting.data.pairs)), setting.config.clusters);
      return {
        async embed(pairs) {
          const [a, b] = await viewsOf(pairs);
          return { images: project(a, images), clouds: project(b, clouds), dimension: images.to };
        },
      };
    },
  };
}

const CCA = ['cca', 'canonical correlation analysis', 'Hotelling 1936; Rasiwasia et al. 2010, ACM MM', cca] as const;
const PLS = ['pls', 'partial least squares', 'Wold 1985; Sharma and Jacobs 2011, CVPR', pls] as const;

export const ccaFeatures = linear(...CCA, 'features');
export const ccaRaw = linear(...CCA, 'raw');
export const plsFeatures = linear(...PLS, 'features');
export const plsRaw = linear(...PLS, 'raw');
