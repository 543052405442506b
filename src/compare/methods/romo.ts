/**
 * RoMo: the published method (`paper`), ours (`robust`), and each without one of its parts. Source: Li et al.: "RoMo: robust
 * unsupervised multimodal learning with noisy pseudo labels", TIP 2024.
 */
import { rcll } from '../../autograd/losses.ts';
import { type Config, withRecipe } from '../../romo/config.ts';
import { type LabelLoss, trainRdl } from '../../romo/method/rdl.ts';
import { SsmModel } from '../../romo/method/ssm.ts';
import type { LabelFreeMethod, Setting, Trained } from '../method.ts';
import { inOneStage, trained } from '../training.ts';

/** The warm-up with this configuration, then `rdl` on its pseudo labels, with a loss of its own. */
export async function trainOnPseudoLabels(setting: Setting, config: Config, labelLoss?: LabelLoss): Promise<Trained> {
  const { gpu, data, hooks } = setting;
  const { model, labels } = await setting.warmUp(config);
  const warm = new SsmModel(gpu, config, data.pairs.imageShape[2]);
  warm.loadStateDict(model, 'the warm-up');
  const rdl = await trainRdl(gpu, data, config, labels, warm, { ...hooks, labelLoss });
  warm.dispose();
  const { encoders } = rdl;
  return { ...trained(setting, encoders), dispose: () => rdl.dispose() };
}

/** The warm-up alone. */
async function trainWarmUpAlone(setting: Setting, config: Config): Promise<Trained> {
  const { gpu, data } = setting;
  const { model } = await setting.warmUp(config);
  const warm = new SsmModel(gpu, config, data.pairs.imageShape[2]);
  warm.loadStateDict(model, 'the warm-up');
  return { ...trained(setting, warm.encoders), dispose: () => warm.dispose() };
}

/** RCLL that trusts every label: the threshold is below any probability. */
const withoutClip =
  ({ rdl: { alpha } }: Config): LabelLoss =>
  (logits, labels, weights) =>
    rcll(logits, labels, { alpha, threshold: 1e-30, weights });

const WITHOUT: Record<string, { what: string; train(setting: Setting, config: Config): Promise<Trained> }> = {
  ssm: {
    what: 'without SSM: the warm-up learns by L_mlm alone',
    train: (setting, config) => trainOnPseudoLabels(setting, { ...config, ssm: { ...config.ssm, lambda: 0 } }),
  },
  rdl: {
    what: 'without RDL: the warm-up for the epochs of both stages',
    train: (setting, config) => trainWarmUpAlone(setting, inOneStage(config)),
  },
  mlm: {
    what: 'without MLM: neither stage pulls pairs together',
    train: (setting, config) =>
      trainOnPseudoLabels(setting, {
        ...config,
        ssm: { ...config.ssm, lambda: 1, within: 0 },
        rdl: { ...config.rdl, beta: 1 },
      }),
  },
  clip: {
    what: 'with RCLL without its clip: labels below chance teach too',
    train: (setting, config) => trainOnPseudoLabels(setting, config, withoutClip(config)),
  },
};

const RECIPES = {
  paper: { what: 'RoMo as published', source: 'Li et al. 2024, TIP' },
  robust: { what: 'RoMo with self-labelling', source: 'this project, docs/reading.md' },
};

function romo(recipe: keyof typeof RECIPES, without?: string): LabelFreeMethod {
  const { what, source } = RECIPES[recipe];
  const part = without ? WITHOUT[without] : null;
  return {
    name: without ? `romo-${recipe}-no-${without}` : `romo-${recipe}`,
    kind: 'romo',
    what: part ? `${recipe}, ${part.what}` : what,
    source,
    uses: 'pairs, own pseudo labels, the number of clusters',
    train: (setting) => (part?.train ?? trainOnPseudoLabels)(setting, withRecipe(setting.config, recipe)),
  };
}

export const romoPaper = romo('paper');
export const romoPaperNoClip = romo('paper', 'clip');
export const romoPaperNoMlm = romo('paper', 'mlm');
export const romoPaperNoRdl = romo('paper', 'rdl');
export const romoPaperNoSsm = romo('paper', 'ssm');
export const romoRobust = romo('robust');
export const romoRobustNoClip = romo('robust', 'clip');
export const romoRobustNoMlm = romo('robust', 'mlm');
export const romoRobustNoRdl = romo('robust', 'rdl');
export const romoRobustNoSsm = romo('robust', 'ssm');
