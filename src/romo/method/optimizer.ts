/** The optimiser that a configuration names. */
import { AdamW } from '../../model/adamw.ts';
import type { Optimizer } from '../../model/optimizer.ts';
import { Sgd } from '../../model/sgd.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Config, StageConfig } from '../config.ts';

/** The optimiser of a stage, at its first step. */
export function optimizerOf(
  gpu: Gpu,
  parameters: ReadonlyMap<string, Tensor>,
  { optimizer, momentum }: Pick<Config, 'optimizer' | 'momentum'>,
  { learningRate, weightDecay }: StageConfig,
): Optimizer {
  return optimizer === 'adamw'
    ? new AdamW(gpu, parameters, { learningRate, beta1: momentum, weightDecay })
    : new Sgd(gpu, parameters, { learningRate, momentum, weightDecay });
}
