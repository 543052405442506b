/** Losses for labels that may be wrong, on the pseudo labels of RoMo's warm-up: RDL with another loss than RCLL. */
import { softmaxCrossEntropy } from '../../autograd/losses.ts';
import { withRecipe } from '../../romo/config.ts';
import type { LabelLoss } from '../../romo/method/rdl.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  generalisedCrossEntropy,
  identity,
  meanAbsoluteError,
  robustClustering,
  symmetricCrossEntropy,
} from '../losses.ts';
import type { LabelFreeMethod } from '../method.ts';
import { trainOnPseudoLabels } from './romo.ts';

/** @param lossOf the loss, given the identity [C, C] */
function onPseudoLabels(
  name: string,
  what: string,
  source: string,
  lossOf: (eye: Tensor) => LabelLoss,
): LabelFreeMethod {
  return {
    name,
    kind: 'noise',
    what,
    source,
    uses: "pairs, the pseudo labels of romo-paper's warm-up, the number of clusters",
    train(setting) {
      const loss = lossOf(identity(setting.gpu, setting.config.clusters));
      return trainOnPseudoLabels(setting, withRecipe(setting.config, 'paper'), loss);
    },
  };
}

export const crossEntropy = onPseudoLabels(
  'cross-entropy',
  'cross entropy',
  'standard',
  () => (logits, labels) => softmaxCrossEntropy(logits, labels),
);

export const mae = onPseudoLabels(
  'mae',
  'mean absolute error',
  'Ghosh et al. 2017, AAAI',
  (eye) => (logits, labels) => meanAbsoluteError(logits, labels, eye),
);

export const gce = onPseudoLabels(
  'gce',
  'generalised cross entropy, q = 0.7',
  'Zhang and Sabuncu 2018, NeurIPS',
  (eye) => (logits, labels) => generalisedCrossEntropy(logits, labels, eye, 0.7),
);

export const sce = onPseudoLabels(
  'sce',
  'symmetric cross entropy, alpha = 0.1, beta = 1, A = -4',
  'Wang et al. 2019, ICCV',
  (eye) => (logits, labels) => symmetricCrossEntropy(logits, labels, eye, { alpha: 0.1, beta: 1, A: -4 }),
);

export const mrl = onPseudoLabels(
  'mrl',
  "MRL's robust clustering loss",
  'Hu et al. 2021, CVPR',
  (eye) => (logits, labels) => robustClustering(logits, labels, eye),
);
