/** The visitor's choices, and the configuration that follows from them. */
import { type Config, PRESETS, withOptimizer, withRecipe } from 'romo';

export const LOSSES = ['rcll', 'cross-entropy', 'mae', 'focal'] as const;

export interface Plan {
  /** tiny: 20 pixels, 64 points; small: 32 pixels, 128 points */
  readonly size: 'tiny' | 'small';
  readonly train: number;
  readonly epochs: readonly [number, number];
  readonly optimizer: NonNullable<Config['optimizer']>;
  /** paper: labels are found once; robust: self-labelling */
  readonly recipe: 'paper' | 'robust';
  readonly loss: (typeof LOSSES)[number];
  /** fraction of pseudo labels that are replaced by others */
  readonly noise: number;
  readonly seed: number;
}

const TEST = 100;

/** RCLL's exponent alpha: 0 gives MAE, 1 gives the focal loss. */
const ALPHA = { rcll: PRESETS.small.rdl.alpha, 'cross-entropy': PRESETS.small.rdl.alpha, mae: 0, focal: 1 };

export function configOf({ size, train, epochs, optimizer, recipe, loss, seed }: Plan): Config {
  const preset = withOptimizer(withRecipe(PRESETS[size], recipe), optimizer);
  return {
    ...preset,
    train,
    test: TEST,
    batch: Math.min(size === 'tiny' ? 20 : 50, train),
    seed,
    ssm: { ...preset.ssm, epochs: epochs[0] },
    rdl: {
      ...preset.rdl,
      epochs: epochs[1],
      loss: loss === 'cross-entropy' ? 'cross-entropy' : 'rcll',
      alpha: ALPHA[loss],
    },
  };
}
