/** The workloads: sizes, operations, tolerances of the comparison, targets. All f32. */

/** All WebGPU implementations except ours. */
export const WEBGPU_PEERS = ['tfjs', 'jaxjs', 'ort'];

const each = (share) => WEBGPU_PEERS.map((peer) => ({ peer, share }));
const ceiling = (gflops) => ({ gflops: 0.75 * gflops, onlyOn: 'llvmpipe' });

function matmul(name, m, k, n, targets = {}) {
  return {
    name,
    kind: 'matmul',
    m,
    k,
    n,
    flops: 2 * m * k * n,
    tolerances: { values: 1e-4 },
    peers: ['ours', ...WEBGPU_PEERS, 'pytorch'],
    targets: { faster: each(1 / 2), ...targets },
  };
}

function conv(name, [batch, height, width, inChannels], outChannels, size, stride, backward, targets = {}) {
  const outHeight = Math.ceil(height / stride);
  const outWidth = Math.ceil(width / stride);
  const forward = 2 * batch * outHeight * outWidth * size * size * inChannels * outChannels;
  return {
    name: `${name}_${backward ? 'fwdbwd' : 'fwd'}`,
    kind: 'conv',
    ...{ batch, height, width, inChannels, outChannels, size, stride, outHeight, outWidth, backward },
    padding: (size - 1) / 2,
    flops: (backward ? 3 : 1) * forward,
    tolerances: { values: backward ? 1e-3 : 1e-4 },
    peers: ['ours', 'tfjs', 'jaxjs', ...(backward ? [] : ['ort']), 'pytorch'],
    targets: { faster: each(1 / 2), ...targets },
  };
}

function knn(name, batch, points, channels, k, targets = {}) {
  return {
    name,
    kind: 'knn',
    ...{ batch, points, channels, k },
    flops: 2 * batch * points * points * channels,
    tolerances: { rows: 0.01 },
    peers: ['ours', ...WEBGPU_PEERS, 'pytorch'],
    targets,
  };
}

function edgeConv(backward) {
  const [batch, points, k, channels, outChannels] = [8, 512, 20, 64, 64];
  return {
    name: `edgeconv_${backward ? 'fwdbwd' : 'fwd'}`,
    kind: 'edgeConv',
    ...{ batch, points, k, channels, outChannels, backward },
    // of the textbook form, which the peers compute
    flops: (backward ? 3 : 1) * 2 * batch * points * k * 2 * channels * outChannels,
    tolerances: { values: backward ? 2e-3 : 1e-3 },
    peers: ['ours', 'tfjs', 'jaxjs', ...(backward ? [] : ['ort']), 'pytorch'],
    targets: {},
  };
}

/** Forward, cross entropy after a linear head of 10 classes, backward, SGD with momentum 0.9. */
const TRAINING = { embedding: 256, classes: 10, learningRate: 0.01, momentum: 0.9 };

function resnet(name, batch, size, flops, targets = {}) {
  return {
    name,
    kind: 'train',
    network: 'resnet18',
    ...{ batch, size, ...TRAINING },
    flops: 3 * flops,
    tolerances: { losses: [1e-3, 2e-3, 5e-3] },
    peers: ['ours', 'tfjs', 'jaxjs', 'pytorch'],
    targets,
  };
}

/** Compares only the first two losses: kNN is discontinuous, so trajectories diverge after that. */
function dgcnn(name, batch, points, targets = {}) {
  const forward = batch * points * (81920 / 2048) * 90496 + 2 * batch * points * 512 * TRAINING.embedding;
  return {
    name,
    kind: 'train',
    network: 'dgcnn',
    ...{ batch, points, k: 20, ...TRAINING },
    flops: 3 * forward,
    tolerances: { losses: [1e-3, 2e-2] },
    peers: ['ours', 'tfjs', 'jaxjs', 'pytorch'],
    targets,
  };
}

/** Evaluation: running statistics of batch norm, no gradients. Reports `items` per second. */
const encode = (of) => ({
  ...of,
  name: `encode_${of.network}`,
  kind: 'encode',
  flops: of.flops / 3,
  items: of.batch,
  tolerances: { values: of.network === 'dgcnn' ? 1e-2 : 1e-3 },
  peers: ['ours', ...WEBGPU_PEERS, 'pytorch'],
  targets: {},
});

const RESNET18 = resnet('resnet18_step', 8, 64, 2.38e9, {
  faster: [
    { peer: 'jaxjs', share: 1 / 5 },
    { peer: 'tfjs', share: 1 / 15 },
  ],
  hostMs: 4,
  createdBytes: 0,
  memory: [{ peer: 'tfjs', share: 0.6 }],
});
const DGCNN = dgcnn('dgcnn_step', 8, 256, {
  faster: [{ peer: 'pytorch', share: 0.7, onlyOn: 'llvmpipe' }, ...each(1 / 15)],
  hostMs: 2,
  createdBytes: 0,
});

const romo = (stage) => ({
  name: `romo_${stage}_step`,
  kind: 'romo',
  stage,
  preset: 'small',
  tolerances: {},
  peers: ['ours'],
  targets: { createdBytes: 0 },
});

export const STANDARD = [
  matmul('matmul_512', 512, 512, 512, { ceiling: ceiling(18.5) }),
  matmul('matmul_1024', 1024, 1024, 1024, { ceiling: ceiling(22.8) }),
  matmul('matmul_tall', 50000, 64, 64),
  ...[false, true].flatMap((backward) => [
    conv('conv_a', [8, 56, 56, 64], 64, 3, 1, backward, backward ? {} : { ceiling: ceiling(16.6) }),
    conv('conv_b', [8, 28, 28, 128], 128, 3, 1, backward),
    conv('conv_c', [8, 112, 112, 3], 64, 7, 2, backward),
  ]),
  knn('knn', 8, 1024, 64, 20, { faster: each(1 / 15) }),
  edgeConv(false),
  edgeConv(true),
  {
    name: 'cross_entropy',
    kind: 'crossEntropy',
    rows: 4096,
    classes: 1000,
    tolerances: { values: 1e-3 },
    peers: ['ours', 'tfjs', 'jaxjs', 'pytorch'],
    targets: { faster: each(1 / 5) },
  },
  RESNET18,
  DGCNN,
  romo('ssm'),
  romo('rdl'),
  encode(RESNET18),
  encode(DGCNN),
  ...['cold_start', 'cold_start_no_cache'].map((name) => ({
    name,
    kind: 'cold',
    m: 512,
    k: 512,
    n: 512,
    noCache: name.endsWith('no_cache'),
    tolerances: { values: 1e-4 },
    peers: ['ours', ...WEBGPU_PEERS, 'pytorch'],
    targets: {},
  })),
];

/** Sizes that fill a real GPU. */
export const LARGE = [
  matmul('matmul_8192', 8192, 8192, 8192),
  resnet('resnet18_step_50x224', 50, 224, 50 * 3.64e9),
  dgcnn('dgcnn_step_50x1024', 50, 1024),
].map((workload) => ({ ...workload, peers: [...workload.peers, 'pytorch-cuda', 'pytorch-cuda-tf32'] }));

const powers = (from, to, factor) => (from > to ? [] : [from, ...powers(from * factor, to, factor)]);

/** A batch of 16 queries against a gallery of unit rows: the ten largest cosines of each. */
const search = (rows) => ({
  name: `search_${rows}`,
  kind: 'search',
  ...{ rows, queries: 16, channels: 128, k: 10 },
  flops: 2 * rows * 16 * 128,
  tolerances: { rows: 0.02 },
  peers: ['ours', 'tfjs', 'jaxjs', 'pytorch'],
  targets: {},
});

export const GROWTH = [
  ...powers(128, 4096, 2).map((points) => dgcnn(`dgcnn_step_${points}`, 8, points)),
  ...powers(1024, 32768, 2).map((points) => knn(`knn_${points}`, 1, points, 64, 20)),
  ...powers(1e3, 1e6, 10).map(search),
];

export const ALL = [...STANDARD, ...LARGE, ...GROWTH];
