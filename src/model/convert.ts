/**
 * Weights made elsewhere, by name: torchvision's and timm's ResNets, the official DGCNN (github.com/WangYueFt/dgcnn),
 * with and without the `module.` that PyTorch's DataParallel puts in front. Their classifiers are left out: the head of
 * an encoder is new.
 */
import { RomoError } from '../tensor/error.ts';
import type { Floats, StateDict } from './module.ts';

/** Weights under the names of a model here, and what was found. */
export interface ConvertedWeights {
  /** what the weights are of, and the options that its encoder must have */
  readonly network:
    | { kind: 'resnet'; depth: number; width: number }
    | { kind: 'dgcnn'; widths: number[]; outChannels: number };
  /** under the names of `ResNet` or `Dgcnn`; all but the head */
  readonly state: StateDict;
  /** keys that were left out on purpose */
  readonly leftOut: string[];
  /** where the names of the head begin, which `state` does not have */
  readonly head: readonly string[];
}

const DEPTHS: Readonly<Record<string, number>> = {
  'basic 2,2,2,2': 18,
  'basic 3,4,6,3': 34,
  'bottleneck 3,4,6,3': 50,
  'bottleneck 3,4,23,3': 101,
};

/**
 * @param tensors as read from a file, in PyTorch's layouts
 * @param file named in errors
 * @throws RomoError `state-dict` where the names are of no known network
 */
export function convertWeights(tensors: Readonly<Record<string, Floats>>, file: string): ConvertedWeights {
  const keys = Object.keys(tensors);
  const prefix = keys.length > 0 && keys.every((key) => key.startsWith('module.')) ? 'module.' : '';
  const named = new Map(keys.map((key) => [key.slice(prefix.length), tensors[key]]));
  if (named.has('layer1.0.conv1.weight')) return convertResnet(named, file);
  if (named.has('conv1.0.weight')) return convertDgcnn(named, file);
  throw fault(file, `its names are of no ResNet and no DGCNN: ${keys.slice(0, 5).join(', ')}, ...`);
}

const fault = (file: string, message: string) =>
  new RomoError(
    'state-dict',
    `${file}: ${message}`,
    'Known are the names of torchvision, timm and the official DGCNN.',
  );

function convertResnet(named: ReadonlyMap<string, Floats>, file: string): ConvertedWeights {
  const stem = named.get('conv1.weight');
  if (stem?.shape[2] !== 7) throw fault(file, 'its stem is not one convolution of 7 x 7 (timm has such variants)');
  const blocks = [1, 2, 3, 4].map((stage) => {
    let count = 0;
    while (named.has(`layer${stage}.${count}.conv1.weight`)) count++;
    return count;
  });
  const kind = named.has('layer1.0.conv3.weight') ? 'bottleneck' : 'basic';
  const depth = DEPTHS[`${kind} ${blocks}`];
  if (!depth) throw fault(file, `a ResNet of ${kind} blocks ${blocks} is not known`);
  const isHead = (key: string) => /^(fc|bn_fc)\./.test(key);
  return {
    network: { kind: 'resnet', depth, width: stem.shape[0] },
    ...split(named, (key) => (isHead(key) || key.endsWith('num_batches_tracked') ? null : key)),
    head: ['fc.', 'bn_fc.'],
  };
}

function convertDgcnn(named: ReadonlyMap<string, Floats>, file: string): ConvertedWeights {
  const widths: number[] = [];
  while (named.has(`conv${widths.length + 1}.0.weight`)) {
    widths.push(named.get(`conv${widths.length + 1}.0.weight`)?.shape[0] as number);
  }
  if (widths.length < 2) throw fault(file, 'a DGCNN has an EdgeConv layer and conv5 at least');
  const outChannels = widths.pop() as number;
  // The official model registers each batch norm twice, as bnN and inside of convN; files may hold one of the two or
  // both.
  const rename = (key: string): string | null => {
    if (key.endsWith('num_batches_tracked')) return null;
    if (/^conv\d+\.[01]\./.test(key)) return key;
    const [, layer, rest] = /^bn(\d+)\.(.*)$/.exec(key) ?? [];
    if (!layer || Number(layer) > widths.length + 1 || named.has(`conv${layer}.1.${rest}`)) return null;
    return `conv${layer}.1.${rest}`;
  };
  return {
    network: { kind: 'dgcnn', widths, outChannels },
    ...split(named, rename),
    head: ['linear1.', 'bn1.'],
  };
}

/** Renames what has a name here; `null` leaves it out. */
function split(named: ReadonlyMap<string, Floats>, rename: (key: string) => string | null) {
  const state: StateDict = {};
  const leftOut: string[] = [];
  for (const [key, { shape, data }] of named) {
    const name = rename(key);
    if (name === null) leftOut.push(key);
    else state[name] = { shape, data };
  }
  return { state, leftOut };
}
