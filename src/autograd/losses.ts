/**
 * The losses: means over rows, of shape [1]. Kernels: shaders/losses.wgsl.
 * Float64 references: test/reference/{cross_entropy,rcll,contrastive}.ts.
 */
import source from '../shaders/losses.wgsl';
import { shapeError } from '../tensor/error.ts';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { launch } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, mulTensors } from './elementary.ts';
import { l2Normalize } from './l2_normalize.ts';
import { matmul } from './matmul.ts';
import { differentiable } from './tape.ts';

const lossProgram = program('losses', source);
const contrastiveKernel = kernel(lossProgram, 'contrastive');
const maskedKernel = kernel(lossProgram, 'contrastive', { MASKED: 1 });

/** A kernel by the number of invocations that share a row. */
const forLanes = (entryPoint: string, WEIGHTED = 0): Record<1 | 64, Kernel> => ({
  1: kernel(lossProgram, entryPoint, { LANES: 1, WEIGHTED }),
  64: kernel(lossProgram, entryPoint, { LANES: 64, WEIGHTED }),
});
const kernels = {
  crossEntropy: [forLanes('crossEntropy'), forLanes('crossEntropy', 1)],
  rcll: [forLanes('rcll'), forLanes('rcll', 1)],
  softCrossEntropy: forLanes('softCrossEntropy'),
  labelGradient: forLanes('labelGradient'),
  labelGradient4: forLanes('labelGradient4'),
};

const NO_PARAMETERS = { alpha: 0, threshold: 0, temperature: 1 };

/** Sizes of a launch over rows of logits, and how many invocations share a row: short ones are not worth sharing. */
function sizesOf(logits: Tensor) {
  const { rows, channels: classes } = logits;
  const lanes = classes > 64 ? logits.gpu.backend.rowLanes : 1;
  return { lanes, sizes: { ...NO_PARAMETERS, classes, rows, total: rows } };
}

const meanOf = (losses: Tensor): Tensor => columnSums(losses, 1, 1, 1 / losses.size).view([1]);

interface LabelLoss {
  name: 'crossEntropy' | 'rcll';
  labels: Tensor;
  weights?: Tensor | undefined;
  alpha?: number;
  threshold?: number;
}

const labelLoss = differentiable({
  name: 'labelLoss',
  forward({ logits }: { logits: Tensor }, { name, labels, weights, alpha = 0, threshold = 0 }: LabelLoss) {
    const { gpu, rows } = logits;
    const losses = gpu.empty([rows]);
    const states = gpu.empty([rows, 4]);
    const { lanes, sizes } = sizesOf(logits);
    // Without weights the kernel reads none, but something must be bound.
    const bindings = { logits, logits4: logits, labels, weights: weights ?? logits, losses, statesOut: states };
    const cut = { along: 'rows', invocations: rows * lanes };
    launch(kernels[name][weights ? 1 : 0][lanes], bindings, { ...sizes, alpha, threshold }, cut);
    return { output: meanOf(losses), saved: { states } };
  },
  backward(grad, { inputs: { logits }, options: { labels }, saved: { states } }) {
    return {
      logits: () => {
        const gradient = logits.gpu.empty(logits.shape);
        const { lanes, sizes } = sizesOf(logits);
        const cut = { along: 'rows', whole: ['seed'], invocations: sizes.rows * lanes };
        const rows = { labels, statesIn: states, seed: grad };
        if (sizes.classes % 4 === 0) {
          const wide = { ...rows, logits4: logits, gradient4: gradient };
          launch(kernels.labelGradient4[lanes], wide, sizes, cut);
        } else launch(kernels.labelGradient[lanes], { ...rows, logits, gradient }, sizes, cut);
        return gradient;
      },
    };
  },
});

interface RowLoss {
  name: 'softCrossEntropy' | 'contrastive';
  targets?: Tensor;
  temperature?: number;
  labels?: Tensor | undefined;
}

/** The kernel computes loss and gradient together; backward only scales the gradient by what comes from above. */
const rowLoss = differentiable({
  name: 'rowLoss',
  forward({ logits }: { logits: Tensor }, { name, targets, temperature = 1, labels }: RowLoss) {
    const { gpu, rows } = logits;
    const losses = gpu.empty([rows]);
    const gradient = gpu.empty(logits.shape);
    const { lanes, sizes } = sizesOf(logits);
    if (name === 'contrastive') {
      // Not cut: a row knows its partner by the number of rows.
      const bindings = { logits, labels: labels ?? gpu.empty([1], 'i32'), losses, gradient };
      const launched = labels ? maskedKernel : contrastiveKernel;
      launch(launched, bindings, { ...sizes, temperature }, { invocations: rows });
    } else {
      const bindings = { logits, logits4: logits, targets: targets as Tensor, losses, gradient };
      launch(kernels.softCrossEntropy[lanes], bindings, sizes, { along: 'rows', invocations: rows * lanes });
    }
    return { output: meanOf(losses), saved: { gradient } };
  },
  backward(grad, { saved: { gradient } }) {
    return { logits: () => mulTensors(gradient, grad) };
  },
});

function checkLabels(name: string, logits: Tensor, labels: Tensor, weights?: Tensor): void {
  if (weights && weights.size !== logits.rows) {
    throw shapeError(name, 'not one weight per row', { logits, weights }, 'Pass weights [rows].');
  }
  if (logits.shape.length !== 2 || labels.size !== logits.rows || labels.dtype !== 'i32') {
    const rule = 'Pass logits [rows, classes] and i32 labels [rows], each from 0 to classes - 1.';
    throw shapeError(name, `logits or labels (${labels.dtype}) do not fit`, { logits, labels }, rule);
  }
}

/**
 * Mean over rows of -w ln softmax(logits)[label]; logits [R, C], labels i32 [R], weights w [R], constants, default 1.
 * d/dz = w (softmax - onehot) / R.
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, weights?: Tensor): Tensor {
  checkLabels('softmaxCrossEntropy', logits, labels, weights);
  return labelLoss({ logits }, { name: 'crossEntropy', labels, weights });
}

/** Mean over rows of -sum target ln softmax(logits); logits and targets [R, C]. Targets are constants. */
export function softCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  if (targets.size !== logits.size) {
    throw shapeError('softCrossEntropy', 'shapes differ', { logits, targets }, 'They must be equal.');
  }
  return rowLoss({ logits }, { name: 'softCrossEntropy', targets });
}

/** What shapes RCLL. */
export interface RcllOptions {
  /** default 0.25; 0 is MAE, 1 is focal loss with gamma 1 */
  alpha?: number;
  /** probabilities up to here send no gradient; default 1 / classes */
  threshold?: number;
  /** of the rows, [R], constants; default 1 */
  weights?: Tensor | undefined;
}

/**
 * RoMo's robust loss: mean over rows of w l(max(p, threshold)), l(p) = (-ln p)^alpha (1 - p), p =
 * softmax(logits)[label]. Source: Li et al., RoMo, IEEE TIP 2024. With L = -ln p, w = p L^alpha + alpha (1 - p)
 * L^(alpha - 1): d/dz_label = -w (1 - p), d/dz_c = w p_c.
 */
export function rcll(logits: Tensor, labels: Tensor, options: RcllOptions = {}): Tensor {
  const { alpha = 0.25, threshold = 1 / logits.channels, weights } = options;
  checkLabels('rcll', logits, labels, weights);
  return labelLoss({ logits }, { name: 'rcll', labels, weights, alpha, threshold });
}

/**
 * RoMo's modality-invariance loss L_mlm: NT-Xent, twice. features [2n, d]: n images, then their n clouds; rows are
 * normalised here. Mean over rows a of -2 ln( exp(cos(a, partner) / tau) / sum over b != a of exp(cos(a, b) / tau) ).
 * With `labels`, i32 [n], pairs of one label are not negatives of each other: the sum leaves them out. Below 0 is not a
 * label.
 */
export function contrastive(features: Tensor, { tau, labels }: { tau: number; labels?: Tensor | undefined }): Tensor {
  if (features.shape.length !== 2 || features.rows % 2 !== 0) {
    throw shapeError('contrastive', 'no pairs', { features }, 'Pass [2n, d]: n images, then their n clouds.');
  }
  if (labels && labels.size !== features.rows / 2) {
    throw shapeError('contrastive', 'not one label per pair', { features, labels }, 'Pass i32 labels [n].');
  }
  const unit = l2Normalize(features);
  const cosines = matmul(unit, unit, { transposeB: true });
  return rowLoss({ logits: cosines }, { name: 'contrastive', temperature: tau, labels });
}
