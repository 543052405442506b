/**
 * Weights made elsewhere, by name: torchvision's and timm's ResNets, the official DGCNN (github.com/WangYueFt/dgcnn),
 * with and without a prefix, such as the `module.` of PyTorch's DataParallel or the `module.encoder_q.` of MoCo. Their
 * classifiers, and tensors outside the network, are left out: the head of an encoder is new.
 */
import { RomoError } from '../tensor/error.ts';
import type { Floats, StateDict } from './module.ts';

/** Converted weights, and the network that they belong to. */
export interface ConvertedWeights {
  /** the network, with the options that its encoder must have */
  readonly network:
    | { kind: 'resnet'; depth: number; width: number }
    | { kind: 'dgcnn'; widths: number[]; outChannels: number };
  /** named as in `ResNet` or `Dgcnn`; everything but the head */
  readonly state: StateDict;
  /** keys that were left out on purpose */
  readonly leftOut: string[];
  /** prefixes of the names of the head, which `state` lacks */
  readonly head: readonly string[];
}

const DEPTHS: Readonly<Record<string, number>> = {
  'basic 2,2,2,2': 18,
  'basic 3,4,6,3': 34,
  'bottleneck 3,4,6,3': 50,
  'bottleneck 3,4,23,3': 101,
};

/**
 * Renames pretrained weights to the names of `ResNet` or `Dgcnn`.
 * @param tensors as read from a file, in PyTorch's layouts
 * @param file name of the file, for errors
 * @throws RomoError `state-dict` if the keys do not match a known network
 */
export function convertWeights(tensors: Readonly<Record<string, Floats>>, file: string): ConvertedWeights {
  const keys = Object.keys(tensors);
  for (const [landmark, convert] of [
    ['layer1.0.conv1.weight', convertResnet],
    ['conv1.0.weight', convertDgcnn],
  ] as const) {
    const prefix = prefixOf(keys, landmark, file);
    if (prefix === null) continue;
    const own = keys.filter((key) => key.startsWith(prefix));
    const { leftOut, ...converted } = convert(
      new Map(own.map((key) => [key.slice(prefix.length), tensors[key]])),
      file,
    );
    return { ...converted, leftOut: [...leftOut, ...keys.filter((key) => !key.startsWith(prefix))] };
  }
  throw fault(file, `its keys match neither ResNet nor DGCNN: ${keys.slice(0, 5).join(', ')}, ...`);
}

/** The slow copy of the network that label-free methods keep: MoCo, BYOL, DINO. */
const COPY = /(encoder_k|momentum|target|teacher|ema)/i;

/** What stands before the names of a network; null if it is not there. @param landmark a key that each has once */
function prefixOf(keys: readonly string[], landmark: string, file: string): string | null {
  const all = keys
    .filter((key) => key === landmark || key.endsWith(`.${landmark}`))
    .map((key) => key.slice(0, -landmark.length));
  const trained = all.length > 1 ? all.filter((prefix) => !COPY.test(prefix)) : all;
  if (trained.length > 1 || (all.length > 0 && trained.length === 0)) {
    throw fault(file, `it holds several networks: ${all.map((prefix) => `${prefix}*`).join(', ')}`);
  }
  return trained[0] ?? null;
}

const fault = (file: string, message: string) =>
  new RomoError('state-dict', `${file}: ${message}`, 'Use weights of torchvision, timm or the official DGCNN.');

function convertResnet(named: ReadonlyMap<string, Floats>, file: string): ConvertedWeights {
  const stem = named.get('conv1.weight');
  if (stem?.shape[2] !== 7) throw fault(file, 'its stem is not a single 7 x 7 convolution (some timm variants differ)');
  const blocks = [1, 2, 3, 4].map((stage) => {
    let count = 0;
    while (named.has(`layer${stage}.${count}.conv1.weight`)) count++;
    return count;
  });
  const kind = named.has('layer1.0.conv3.weight') ? 'bottleneck' : 'basic';
  const depth = DEPTHS[`${kind} ${blocks}`];
  if (!depth) throw fault(file, `unknown ResNet with ${kind} blocks ${blocks}`);
  const isBody = (key: string) => /^(conv1|bn1|layer\d+)\./.test(key);
  return {
    network: { kind: 'resnet', depth, width: stem.shape[0] },
    ...split(named, (key) => (!isBody(key) || key.endsWith('num_batches_tracked') ? null : key)),
    head: ['fc.', 'bn_fc.'],
  };
}

function convertDgcnn(named: ReadonlyMap<string, Floats>, file: string): ConvertedWeights {
  const widths: number[] = [];
  while (named.has(`conv${widths.length + 1}.0.weight`)) {
    widths.push(named.get(`conv${widths.length + 1}.0.weight`)?.shape[0] as number);
  }
  if (widths.length < 2) throw fault(file, 'a DGCNN needs at least one EdgeConv layer and a last convolution');
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

/** Renames the tensors; those that `rename` maps to null are left out. */
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
