/**
 * The losses. Each kernel computes a row's loss and its gradient together; backward only scales the gradient by what comes
 * from above. All are means over rows, of shape [1].
 */
import source from '../shaders/losses.wgsl';
import { RomoError } from '../tensor/error.ts';
import { kernel, program } from '../tensor/kernel.ts';
import { parts } from '../tensor/parts.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { columnSums, mulTensors } from './elementary.ts';
import { l2Normalize } from './l2_normalize.ts';
import { matmul } from './matmul.ts';
import { differentiable } from './tape.ts';

const lossProgram = program('losses', source);
const kernels = {
  crossEntropy: kernel(lossProgram, 'crossEntropy'),
  softCrossEntropy: kernel(lossProgram, 'softCrossEntropy'),
  rcll: kernel(lossProgram, 'rcll'),
  contrastive: kernel(lossProgram, 'contrastive'),
};

interface RowLoss {
  name: keyof typeof kernels;
  /** labels or targets; constants, without a gradient */
  constants: Record<string, Tensor>;
  alpha?: number;
  threshold?: number;
  temperature?: number;
}

const rowLoss = differentiable<{ logits: Tensor }, RowLoss, { gradient: Tensor }>({
  name: 'rowLoss',
  forward({ logits }, { name, constants, alpha = 0, threshold = 0, temperature = 1 }) {
    const { gpu, rows, channels: classes } = logits;
    const losses = gpu.empty([rows]);
    const gradient = gpu.empty(logits.shape);
    const sizes = { rows, classes, alpha, threshold, temperature, total: rows };
    // A row of `contrastive` is told from its partner's by its number: it is not cut.
    const per = { logits: classes, labels: 1, targets: classes, losses: 1, gradient: classes };
    const cut = { items: rows, per: name === 'contrastive' ? {} : per };
    for (const { tensors, count } of parts(gpu, { logits, ...constants, losses, gradient }, cut)) {
      gpu.dispatch(kernels[name], tensors, { ...sizes, rows: count }, count);
    }
    return { output: columnSums(losses, 1, 1, 1 / rows).view([1]), saved: { gradient } };
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
  return rowLoss({ logits }, { name: 'crossEntropy', constants: { labels } });
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
  return rowLoss({ logits }, { name: 'softCrossEntropy', constants: { targets } });
}

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
  return rowLoss({ logits }, { name: 'rcll', constants: { labels }, alpha, threshold });
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
  return rowLoss({ logits: cosines }, { name: 'contrastive', constants: {}, temperature: tau });
}
