/**
 * EdgeConv (Wang et al., Dynamic Graph CNN, 2019) with its batch norm, activation and maximum, never expanded:
 * y_i = max over j in N(i) of act(bn(W [x_j - x_i ; x_i])).
 *
 * With W = [A | B], W [x_j - x_i ; x_i] = A x_j + (B - A) x_i = P_j + Q_i, so P and Q are computed once per point: 4 B
 * N C O operations instead of 4 B N k C O, and no [B, N, k, 2C] tensor. Batch norm and leaky ReLU are monotone in each
 * channel, so the maximum is taken at the largest P_j where gamma >= 0 and at the smallest where gamma < 0. The walk
 * over the neighbours costs 3 B N k O operations forward and 2 B N k O backward. Kernels: shaders/edge_conv.wgsl.
 * Float64 reference, in the textbook's form: test/reference/edge_conv.ts.
 */
import source from '../shaders/edge_conv.wgsl';
import { shapeError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { launch, windows } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { activationGradient, type BatchNormOptions, statisticsOf } from './batch_norm.ts';
import { columnSums } from './elementary.ts';
import { matmul } from './matmul.ts';
import { reshape } from './reshape.ts';
import { reverseGraph } from './reverse_graph.ts';
import { differentiable, noGradient } from './tape.ts';

const edges = program('edge_conv', source);
const factorKernel = kernelPair(edges, 'factorWeight');
const unfactorKernel = kernelPair(edges, 'unfactorWeight');
const reduceKernel = kernelPair(edges, 'reduceNeighbours');
const momentsKernel = kernelPair(edges, 'moments');
const applyKernel = kernelPair(edges, 'apply');
const sumsKernel = kernelPair(edges, 'gradientSums');
const coefficientsKernel = kernelPair(edges, 'gradientCoefficients');
const inputKernel = kernelPair(edges, 'inputGradient');

export type EdgeConvOptions = Omit<BatchNormOptions, 'residual'>;

const NO_SIZES = { batch: 1, k: 1, slope: 1, chunk: 1, chunks: 1, training: 0 };

/** weight [2C, O] -> [C, 2O]: A^T and (B - A)^T side by side. */
const factorWeight = differentiable({
  name: 'edgeConv.factorWeight',
  forward({ weight }: { weight: Tensor }) {
    const [points, channels] = [weight.shape[0] / 2, weight.channels];
    const out = weight.gpu.empty([points, 2 * channels]);
    launch(factorKernel, { weight, out }, { ...NO_SIZES, points, channels }, { invocations: points * channels });
    return { output: out };
  },
  backward(grad, { inputs: { weight } }) {
    return {
      weight: () => {
        const [points, channels] = [weight.shape[0] / 2, weight.channels];
        const out = weight.gpu.empty(weight.shape);
        const sizes = { ...NO_SIZES, points, channels };
        launch(unfactorKernel, { weight: grad, out }, sizes, { invocations: points * channels });
        return out;
      },
    };
  },
});

type Inputs = { pq: Tensor; neighbours: Tensor; gamma: Tensor; beta: Tensor };

function sizesOf(pq: Tensor, neighbours: Tensor, { slope = 1, training }: EdgeConvOptions) {
  const [batch, points, k] = neighbours.shape;
  const chunk = Math.max(8, Math.ceil(Math.sqrt(batch * points)));
  const chunks = Math.ceil((batch * points) / chunk);
  const channels = pq.channels / 2;
  return { batch, points, channels, k, slope, chunk, chunks, training: training ? 1 : 0 };
}

type Sizes = ReturnType<typeof sizesOf>;

/** Batch norm's view of the same work: its rows are the edges. */
function edgeRows(sizes: Sizes, { momentum = 0.1, eps = 1e-5 }: EdgeConvOptions) {
  const { batch, points, channels, k, chunk, chunks, slope, training } = sizes;
  const rows = batch * points * k;
  return { rows, channels, chunk: chunk * k, chunks, epsilon: eps, momentum, slope, training, total: rows };
}

/** Cuts a launch between chunks of points; `names` are the bindings with a row per point. */
function byChunks({ batch, points, channels, chunk, chunks }: Sizes, names: readonly string[]) {
  const ofChunk = Object.fromEntries(names.map((name) => [name, chunk * channels]));
  return {
    along: 'chunks',
    per: { pq: 2 * chunk * channels, ...ofChunk },
    sizesOf: (from: number, count: number) => ({
      batch: 1,
      points: Math.min(batch * points - from * chunk, count * chunk),
    }),
    invocations: chunks * channels,
  };
}

const reduceEdges = differentiable({
  name: 'edgeConv',
  forward({ pq, neighbours, gamma, beta }: Inputs, options: EdgeConvOptions) {
    const { gpu } = pq;
    const sizes = sizesOf(pq, neighbours, options);
    const { batch, points, channels, chunks, k } = sizes;
    const shape = [batch, points, channels];
    const winners = gpu.empty(shape, 'u32');
    const peaks = gpu.empty(shape);
    const sums = gpu.empty(shape);
    const spreads = gpu.empty(shape);
    const written = { winnersOut: winners, peaksOut: peaks, sumsOut: sums, spreadsOut: spreads };
    const clouds = { along: 'batch', whole: ['gamma'], invocations: sums.size, work: 8 * sums.size * k };
    launch(reduceKernel, { pq, neighbours, gamma, ...written }, sizes, clouds);
    const rows = edgeRows(sizes, options);
    const moments = options.training ? gpu.empty([chunks, channels, 2]) : null;
    if (moments) {
      const bindings = { pq, sumsIn: sums, spreadsIn: spreads, momentsOut: moments };
      launch(momentsKernel, bindings, sizes, byChunks(sizes, ['sumsIn', 'spreadsIn']));
    }
    const statistics = statisticsOf(moments, rows, options);
    const out = gpu.empty(shape);
    const ofChannels = { gamma, beta, statistics };
    const flat = { ...sizes, batch: 1, points: batch * points };
    const cut = { along: 'points', whole: Object.keys(ofChannels) };
    launch(applyKernel, { pq, ...ofChannels, peaksIn: peaks, out }, flat, cut);
    return { output: out, saved: { winners, peaks, sums, statistics } };
  },
  backward(grad, { inputs: { pq, neighbours, gamma }, options, output, saved: { winners, peaks, sums, statistics } }) {
    const { gpu } = pq;
    const sizes = sizesOf(pq, neighbours, options);
    const { batch, points, channels, chunks, k } = sizes;
    const before = activationGradient(output, grad, { ...edgeRows(sizes, options), rows: batch * points });
    const gammaSums = gpu.empty([chunks, channels]);
    const betaSums = gpu.empty([chunks, channels]);
    const bindings = { pq, peaksIn: peaks, statistics, grad: before, gammaSums, betaSums };
    launch(sumsKernel, bindings, sizes, { ...byChunks(sizes, ['peaksIn', 'grad']), whole: ['statistics'] });
    const gammaGrad = columnSums(gammaSums, 1, channels).view(gamma.shape);
    const betaGrad = columnSums(betaSums, 1, channels).view(gamma.shape);
    return {
      pq: () => {
        const coefficients = gpu.empty([channels, 4]);
        const factors = { statistics, gamma, gammaGrad, betaGrad, coefficientsOut: coefficients };
        launch(coefficientsKernel, factors, sizes, { invocations: channels });
        const out = gpu.empty(pq.shape);
        const read = { pq, neighbours, grad: before, winnersIn: winners, sumsIn: sums };
        const ofCloud = points * channels;
        const per = { grad: ofCloud, winnersIn: ofCloud, sumsIn: ofCloud, pq: 2 * ofCloud, out: 2 * ofCloud };
        const clouds = { items: batch, per: { ...per, neighbours: points * k } };
        for (const { tensors, count } of windows(gpu, { ...read, out }, clouds)) {
          const { neighbours: named, ...rest } = tensors;
          const graph = reverseGraph(named.view([count, points, k]));
          const all = { ...rest, coefficientsIn: coefficients, ...graph };
          const { size } = rest.sumsIn;
          launch(inputKernel, all, { ...sizes, batch: count }, { invocations: size, work: 8 * size * k });
        }
        return out;
      },
      neighbours: noGradient('an index is a whole number'),
      gamma: () => gammaGrad,
      beta: () => betaGrad,
    };
  },
});

/**
 * y_i = max over j in N(i) of act(bn(W [x_j - x_i ; x_i])).
 * x [B, N, C], neighbours i32 [B, N, k] (from `knn`), weight [2C, O] whose rows 0 .. C-1 act on x_j - x_i and C .. 2C-1
 * on x_i, gamma and beta [O] -> [B, N, O]. A point's k neighbours must be distinct, as `knn` gives them. Options as for
 * batchNorm; its statistics are over all B N k edges.
 */
export function edgeConv(
  x: Tensor,
  neighbours: Tensor,
  weight: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: EdgeConvOptions,
): Tensor {
  const [batch, points, channels] = x.shape;
  const fits = x.shape.length === 3 && neighbours.shape[0] === batch && neighbours.shape[1] === points;
  if (!fits || weight.shape[0] !== 2 * channels || gamma.size !== weight.channels) {
    const rule = 'They are [B, N, C], [B, N, k], [2C, O] and [O].';
    throw shapeError('edgeConv', 'shapes do not fit', { x, neighbours, weight, gamma }, rule);
  }
  const flat = reshape(x, [batch * points, channels]);
  const pq = reshape(matmul(flat, factorWeight({ weight })), [batch, points, 2 * weight.channels]);
  return reduceEdges({ pq, neighbours, gamma, beta }, options);
}
