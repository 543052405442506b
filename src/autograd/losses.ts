/** The losses, all of them means over rows, of shape [1]. See losses.wgsl. */
import source from '../shaders/losses.wgsl';
import { RomoError } from '../tensor/error.ts';
import { type Kernel, kernel, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/launch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, mulTensors } from './elementary.ts';
import { l2Normalize } from './l2_normalize.ts';
import { matmul } from './matmul.ts';
import { differentiable } from './tape.ts';

const lossProgram = program('losses', source);
const contrastiveKernel = kernel(lossProgram, 'contrastive');

/** A kernel by the number of invocations that share a row. */
const forLanes = (entryPoint: string): Record<1 | 64, Kernel> => ({
  1: kernel(lossProgram, entryPoint, { LANES: 1 }),
  64: kernel(lossProgram, entryPoint, { LANES: 64 }),
});
const kernels = {
  crossEntropy: forLanes('crossEntropy'),
  rcll: forLanes('rcll'),
  softCrossEntropy: forLanes('softCrossEntropy'),
  labelGradient: forLanes('labelGradient'),
  labelGradient4: forLanes('labelGradient4'),
};

const NO_PARAMETERS = { alpha: 0, threshold: 0, temperature: 1 };

/** Sizes of a launch over rows of logits, and how many invocations share one: a short row is not worth sharing. */
function sharing(logits: Tensor): { lanes: 1 | 64; sizes: typeof NO_PARAMETERS & { classes: number; total: number } } {
  const lanes = logits.channels > 64 ? logits.gpu.machine.rowLanes : 1;
  return { lanes, sizes: { ...NO_PARAMETERS, classes: logits.channels, total: logits.rows } };
}

const meanOf = (losses: Tensor): Tensor => columnSums(losses, 1, 1, 1 / losses.size).view([1]);

interface LabelLoss {
  name: 'crossEntropy' | 'rcll';
  labels: Tensor;
  alpha?: number;
  threshold?: number;
}

const labelLoss = differentiable<{ logits: Tensor }, LabelLoss, { states: Tensor }>({
  name: 'labelLoss',
  forward({ logits }, { name, labels, alpha = 0, threshold = 0 }) {
    const { gpu, rows, channels } = logits;
    const losses = gpu.empty([rows]);
    const states = gpu.empty([rows, 4]);
    const { lanes, sizes } = sharing(logits);
    const cut = { items: rows, per: { logits: channels, labels: 1, losses: 1, states: 4 } };
    for (const { tensors, count } of parts(gpu, { logits, labels, losses, states }, cut)) {
      const bindings = { ...tensors, logits4: tensors.logits };
      gpu.dispatch(kernels[name][lanes], bindings, { ...sizes, alpha, threshold, rows: count }, count * lanes);
    }
    return { output: meanOf(losses), saved: { states } };
  },
  backward(grad, { inputs: { logits }, options: { labels }, saved: { states } }) {
    return {
      logits: () => {
        const { gpu, rows, channels } = logits;
        const gradient = gpu.empty(logits.shape);
        const { lanes, sizes } = sharing(logits);
        const cut = { items: rows, per: { logits: channels, labels: 1, states_: 4, gradient: channels } };
        for (const { tensors, count } of parts(gpu, { logits, labels, states_: states, gradient }, cut)) {
          const { logits: x, gradient: out, ...rest } = tensors;
          const rows = { ...rest, seed: grad };
          const part = { ...sizes, rows: count };
          if (channels % 4 === 0) {
            const wide = { ...rows, logits4: x, gradient4: out };
            gpu.dispatch(kernels.labelGradient4[lanes], wide, part, count * lanes);
          } else gpu.dispatch(kernels.labelGradient[lanes], { ...rows, logits: x, gradient: out }, part, count * lanes);
        }
        return gradient;
      },
    };
  },
});

interface RowLoss {
  name: 'softCrossEntropy' | 'contrastive';
  targets?: Tensor;
  temperature?: number;
}

/** The kernel computes loss and gradient together; backward only scales the gradient by what comes from above. */
const rowLoss = differentiable<{ logits: Tensor }, RowLoss, { gradient: Tensor }>({
  name: 'rowLoss',
  forward({ logits }, { name, targets, temperature = 1 }) {
    const { gpu, rows, channels } = logits;
    const losses = gpu.empty([rows]);
    const gradient = gpu.empty(logits.shape);
    const { lanes, sizes } = sharing(logits);
    if (name === 'contrastive') {
      // A row is told from its partner's by its number: it is not cut.
      gpu.dispatch(contrastiveKernel, { logits, losses, gradient }, { ...sizes, temperature, rows }, rows);
    } else {
      const bindings = { logits, targets: targets as Tensor, losses, gradient };
      const cut = { items: rows, per: { logits: channels, targets: channels, losses: 1, gradient: channels } };
      for (const { tensors, count } of parts(gpu, bindings, cut)) {
        const all = { ...tensors, logits4: tensors.logits };
        gpu.dispatch(kernels.softCrossEntropy[lanes], all, { ...sizes, rows: count }, count * lanes);
      }
    }
    return { output: meanOf(losses), saved: { gradient } };
  },
  backward(grad, { saved: { gradient } }) {
    return { logits: () => mulTensors(gradient, grad) };
  },
});

function checkLabels(name: string, logits: Tensor, labels: Tensor): void {
  if (logits.shape.length !== 2 || labels.size !== logits.rows || labels.dtype !== 'i32') {
    throw new RomoError(
      'shape',
      `${name}: logits are [${logits.shape}], labels [${labels.shape}] of ${labels.dtype}`,
      'Pass logits [rows, classes] and i32 labels [rows], each from 0 to classes - 1.',
    );
  }
}

/** Mean over rows of -ln softmax(logits)[label]; logits [R, C], labels i32 [R]. d/dz = (softmax - onehot) / R. */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  checkLabels('softmaxCrossEntropy', logits, labels);
  return labelLoss({ logits }, { name: 'crossEntropy', labels });
}

/** Cross entropy against distributions; logits and targets [R, C]. Targets are constants. */
export function softCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  if (targets.size !== logits.size) {
    throw new RomoError(
      'shape',
      `softCrossEntropy: logits are [${logits.shape}], targets [${targets.shape}]`,
      'They must be equal.',
    );
  }
  return rowLoss({ logits }, { name: 'softCrossEntropy', targets });
}

/** What shapes RCLL. */
export interface RcllOptions {
  /** default 0.25; 0 is MAE, 1 is focal loss with gamma 1 */
  alpha?: number;
  /** probabilities up to here send no gradient; default 1 / classes */
  threshold?: number;
}

/**
 * RoMo's robust loss: mean over rows of l(max(p, threshold)), l(p) = (-ln p)^alpha (1 - p), p = softmax(logits)[label].
 * Source: Li et al., RoMo, IEEE TIP 2024. With L = -ln p, w = p L^alpha + alpha (1 - p) L^(alpha - 1):
 * d/dz_label = -w (1 - p), d/dz_c = w p_c.
 */
export function rcll(logits: Tensor, labels: Tensor, options: RcllOptions = {}): Tensor {
  checkLabels('rcll', logits, labels);
  const { alpha = 0.25, threshold = 1 / logits.channels } = options;
  return labelLoss({ logits }, { name: 'rcll', labels, alpha, threshold });
}

/**
 * RoMo's modality-invariance loss L_mlm: NT-Xent, twice. features [2n, d]: n images, then their n clouds; rows are normalised
 * here. Mean over rows a of -2 ln( exp(cos(a, partner) / tau) / sum over b != a of exp(cos(a, b) / tau) ).
 */
export function contrastive(features: Tensor, { tau }: { tau: number }): Tensor {
  if (features.shape.length !== 2 || features.rows % 2 !== 0) {
    throw new RomoError(
      'shape',
      `contrastive: features are [${features.shape}]`,
      'Pass [2n, d]: n images, then their n clouds.',
    );
  }
  const unit = l2Normalize(features);
  const cosines = matmul(unit, unit, { transposeB: true });
  return rowLoss({ logits: cosines }, { name: 'contrastive', temperature: tau });
}
