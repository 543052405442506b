/**
 * EdgeConv (Wang et al., Dynamic Graph CNN, 2019) with its batch norm, activation and maximum, never expanded:
 * y_i = max over j in N(i) of act(bn(W [x_j - x_i ; x_i])).
 *
 * With W = [A | B], W [x_j - x_i ; x_i] = A x_j + (B - A) x_i = P_j + Q_i, so P and Q are computed once per point: 4 B N C O
 * operations instead of 4 B N k C O, and no [B, N, k, 2C] tensor. Batch norm and leaky ReLU are monotone in each channel, so
 * the maximum is taken at the largest P_j where gamma >= 0 and at the smallest where gamma < 0.
 * The walk over the neighbours costs 3 B N k O operations forward and 2 B N k O backward.
 */
import source from '../shaders/edge_conv.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernelPair, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { activationGradient, type BatchNormOptions, joinMoments, runningMoments } from './batch_norm.ts';
import { columnSums, dispatchPair } from './elementary.ts';
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

const NO_SIZES = { batch: 1, k: 1, slope: 1, chunk: 1, chunks: 1, epsilon: 0, momentum: 0, training: 0 };

/** weight [2C, O] -> [C, 2O]: A^T beside (B - A)^T. */
const factorWeight = differentiable<{ weight: Tensor }, undefined, Record<string, never>>({
  name: 'edgeConv.factorWeight',
  forward({ weight }) {
    const [points, channels] = [weight.shape[0] / 2, weight.channels];
    const output = weight.gpu.empty([points, 2 * channels]);
    dispatchPair(
      weight.gpu,
      factorKernel,
      { weight, out: output },
      { ...NO_SIZES, points, channels },
      points * channels,
    );
    return { output, saved: {} };
  },
  backward(grad, { inputs: { weight } }) {
    return {
      weight: () => {
        const [points, channels] = [weight.shape[0] / 2, weight.channels];
        const out = weight.gpu.empty(weight.shape);
        dispatchPair(
          weight.gpu,
          unfactorKernel,
          { weight: grad, out },
          { ...NO_SIZES, points, channels },
          points * channels,
        );
        return out;
      },
    };
  },
});

interface Inputs extends Record<string, Tensor> {
  pq: Tensor;
  neighbours: Tensor;
  gamma: Tensor;
  beta: Tensor;
}

function sizesOf(pq: Tensor, neighbours: Tensor, { momentum = 0.1, eps = 1e-5, slope = 1, training }: EdgeConvOptions) {
  const [batch, points, k] = neighbours.shape;
  const chunk = Math.max(8, Math.ceil(Math.sqrt(batch * points)));
  const chunks = Math.ceil((batch * points) / chunk);
  const channels = pq.channels / 2;
  return { batch, points, channels, k, slope, chunk, chunks, epsilon: eps, momentum, training: training ? 1 : 0 };
}

type Sizes = ReturnType<typeof sizesOf>;

/** Batch norm's view of the same work: its rows are the edges. */
const edgeRows = (sizes: Sizes) => ({
  rows: sizes.batch * sizes.points * sizes.k,
  channels: sizes.channels,
  chunk: sizes.chunk * sizes.k,
  chunks: sizes.chunks,
  epsilon: sizes.epsilon,
  momentum: sizes.momentum,
  slope: sizes.slope,
  training: sizes.training,
  total: sizes.batch * sizes.points * sizes.k,
});

/** The sizes for `count` chunks of points from number `from` on. */
const chunksOf = (sizes: Sizes, from: number, count: number): Sizes => ({
  ...sizes,
  batch: 1,
  points: Math.min(sizes.batch * sizes.points - from * sizes.chunk, count * sizes.chunk),
  chunks: count,
});

interface Saved extends Record<string, Tensor> {
  winners: Tensor;
  peaks: Tensor;
  sums: Tensor;
  statistics: Tensor;
}

const reduceEdges = differentiable<Inputs, EdgeConvOptions, Saved>({
  name: 'edgeConv',
  forward({ pq, neighbours, gamma, beta }, options) {
    const { gpu } = pq;
    const sizes = sizesOf(pq, neighbours, options);
    const shape = [sizes.batch, sizes.points, sizes.channels];
    const output = gpu.empty(shape);
    const winners = gpu.empty(shape, 'u32');
    const peaks = gpu.empty(shape);
    const sums = gpu.empty(shape);
    const spreads = gpu.empty(shape);
    const { channels, points } = sizes;
    const ofCloud = points * channels;
    const walk = { pq, neighbours, gamma, winners, peaks, sums, spreads };
    const walkPer = { winners: ofCloud, peaks: ofCloud, sums: ofCloud, spreads: ofCloud };
    const clouds = { items: sizes.batch, per: { pq: 2 * ofCloud, neighbours: points * sizes.k, ...walkPer } };
    for (const { tensors, count } of parts(gpu, walk, clouds)) {
      dispatchPair(gpu, reduceKernel, tensors, { ...sizes, batch: count }, tensors.sums.size);
    }
    let statistics: Tensor;
    if (options.training) {
      const moment = gpu.empty([sizes.chunks, sizes.channels, 2]);
      const ofChunk = sizes.chunk * channels;
      const per = { pq: 2 * ofChunk, sums_: ofChunk, spreads_: ofChunk, moment: 2 * channels };
      const bindings = { pq, sums_: sums, spreads_: spreads, moment };
      for (const { tensors, from, count } of parts(gpu, bindings, { items: sizes.chunks, per })) {
        dispatchPair(gpu, momentsKernel, tensors, chunksOf(sizes, from, count), count * channels);
      }
      statistics = joinMoments(moment, edgeRows(sizes), options);
    } else statistics = runningMoments(edgeRows(sizes), options);
    const rows = { items: sizes.batch * points, per: { pq: 2 * channels, peaks_: channels, out: channels } };
    for (const { tensors, count } of parts(gpu, { pq, gamma, beta, peaks_: peaks, statistics, out: output }, rows)) {
      dispatchPair(gpu, applyKernel, tensors, { ...sizes, batch: 1, points: count }, tensors.out.size);
    }
    return { output, saved: { winners, peaks, sums, statistics } };
  },
  backward(grad, { inputs: { pq, neighbours, gamma }, options, output, saved: { winners, peaks, sums, statistics } }) {
    const { gpu } = pq;
    const sizes = sizesOf(pq, neighbours, options);
    const before = activationGradient(output, grad, { ...edgeRows(sizes), rows: sizes.batch * sizes.points });
    const gammaSums = gpu.empty([sizes.chunks, sizes.channels]);
    const betaSums = gpu.empty([sizes.chunks, sizes.channels]);
    const { channels, points } = sizes;
    const bindings = { pq, peaks_: peaks, statistics, grad: before, gammaSums, betaSums };
    const ofChunk = sizes.chunk * channels;
    const sumsPer = { gammaSums: channels, betaSums: channels };
    const chunks = { items: sizes.chunks, per: { pq: 2 * ofChunk, peaks_: ofChunk, grad: ofChunk, ...sumsPer } };
    for (const { tensors, from, count } of parts(gpu, bindings, chunks)) {
      dispatchPair(gpu, sumsKernel, tensors, chunksOf(sizes, from, count), count * channels);
    }
    const gammaGrad = columnSums(gammaSums, 1, channels).view(gamma.shape);
    const betaGrad = columnSums(betaSums, 1, channels).view(gamma.shape);
    return {
      pq: () => {
        const coefficients = gpu.empty([sizes.channels, 4]);
        const factors = { statistics, gamma, gammaGrad, betaGrad, coefficient: coefficients };
        dispatchPair(gpu, coefficientsKernel, factors, sizes, channels);
        const out = gpu.empty(pq.shape);
        const reads = { pq, neighbours, grad: before, winners_: winners, sums_: sums };
        const ofCloud = points * channels;
        const readsPer = { pq: 2 * ofCloud, neighbours: points * sizes.k, grad: ofCloud, winners_: ofCloud };
        const clouds = { items: sizes.batch, per: { ...readsPer, sums_: ofCloud, out: 2 * ofCloud } };
        for (const { tensors, count } of parts(gpu, { ...reads, out }, clouds)) {
          const { neighbours: named, ...rest } = tensors;
          const graph = reverseGraph(named.view([count, points, sizes.k]));
          dispatchPair(
            gpu,
            inputKernel,
            { ...rest, coefficients, ...graph },
            { ...sizes, batch: count },
            rest.sums_.size,
          );
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
 * x [B, N, C], neighbours i32 [B, N, k] (from `knn`), weight [2C, O] whose rows 0 .. C-1 act on x_j - x_i and C .. 2C-1 on x_i,
 * gamma and beta [O] -> [B, N, O]. A point's k neighbours must be distinct, as `knn` gives them. Options as for batchNorm; its
 * statistics are over all B N k edges.
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
    throw new RomoError(
      'shape',
      `edgeConv: x [${x.shape}], neighbours [${neighbours.shape}], weight [${weight.shape}], gamma [${gamma.shape}]`,
      'They are [B, N, C], [B, N, k], [2C, O] and [O].',
    );
  }
  const flat = reshape(x, [batch * points, channels]);
  const pq = reshape(matmul(flat, factorWeight({ weight }, undefined)), [batch, points, 2 * weight.channels]);
  return reduceEdges({ pq, neighbours, gamma, beta }, options);
}
