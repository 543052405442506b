/** Both stages in order: warm-up, pseudo labels, robust learning. The data set's labels are not used. */
import type { StateDict } from '../../model/module.ts';
import type { Gpu } from '../../tensor/device.ts';
import type { Config } from '../config.ts';
import type { TrainingData } from './feeder.ts';
import { clusterSizes } from './kmeans.ts';
import { pseudoLabels } from './pseudo_labels.ts';
import { type RdlHooks, type RdlModel, trainRdl } from './rdl.ts';
import { type SsmHooks, SsmModel, trainSsm } from './ssm.ts';
import { type Hooks, hooksOfPart } from './stage.ts';
import type { PseudoLabels, StageState } from './stage_state.ts';

/** Everything that training needs to resume as if it had never stopped. */
export interface TrainingState {
  readonly stage: StageState;
  /** the result of the warm-up; null until `rdl` starts */
  readonly warm: { readonly model: StateDict; readonly labels: PseudoLabels } | null;
}

/** The phases of training. `untrained` and `figures` only measure, and occur only in a run with figures. */
export type Phase = 'untrained' | 'ssm' | 'pseudoLabels' | 'rdl' | 'figures';

/** What a caller may watch and steer of both stages. */
export interface TrainingHooks<State = TrainingState>
  extends Hooks<State>,
    Pick<SsmHooks, 'onClusters'>,
    Pick<RdlHooks, 'onRelabel'> {
  /** Called when a phase begins. */
  onPhase?: ((phase: Phase) => void) | undefined;
  /** Called when something looks wrong, such as a collapse. */
  onWarning?: ((text: string) => void) | undefined;
  /** Returns the labels to train on instead of the pseudo labels found: noise is added here. */
  changeLabels?: ((found: PseudoLabels) => PseudoLabels) | undefined;
  /** Called with the labels that `rdl` trains on: between the stages, and again when training resumes after them. */
  onPseudoLabels?: ((labels: PseudoLabels) => void) | undefined;
  /** Awaited between the stages, after the pseudo labels. */
  afterWarmUp?: ((model: SsmModel) => Promise<void>) | undefined;
}

/** The result of training: both models, and the labels that the second was trained on. */
export interface Trained {
  readonly ssm: SsmModel;
  readonly rdl: RdlModel;
  readonly labels: PseudoLabels;
}

/**
 * Trains both stages.
 * @throws RomoError `memory` if a batch does not fit; `not-finite` if the loss is not finite
 */
export async function trainStages(
  gpu: Gpu,
  data: TrainingData,
  config: Config,
  hooks: TrainingHooks = {},
): Promise<Trained> {
  const { resumeFrom } = hooks;
  const warn = (where: string, images: number[], clouds: number[]) => {
    for (const [modality, sizes] of Object.entries({ images, clouds })) {
      const warning = collapseWarning(where, sizes, modality);
      if (warning) hooks.onWarning?.(warning);
    }
  };
  let warm = resumeFrom?.warm ?? null;
  const part = (stage: 'ssm' | 'rdl') => {
    const from = resumeFrom?.stage.stage === stage ? resumeFrom.stage : undefined;
    return hooksOfPart(hooks, from, (state: StageState): TrainingState => ({ stage: state, warm }));
  };
  let ssm: SsmModel;
  if (warm) {
    ssm = new SsmModel(gpu, config, data.pairs.imageShape[2]);
    ssm.loadStateDict(warm.model, 'the state to resume from');
    hooks.onPseudoLabels?.(warm.labels);
  } else {
    hooks.onPhase?.('ssm');
    ssm = await trainSsm(gpu, data, config, {
      ...part('ssm'),
      onClusters(epoch, images, clouds) {
        hooks.onClusters?.(epoch, images, clouds);
        warn(`ssm epoch ${epoch + 1}`, images, clouds);
      },
    });
    hooks.onPhase?.('pseudoLabels');
    const found = await pseudoLabels(gpu, ssm, data, config);
    const labels = hooks.changeLabels?.(found) ?? found;
    const [images, clouds] = [labels.images, labels.clouds].map((values) => clusterSizes(values, config.clusters));
    warn('pseudo labels', images, clouds);
    hooks.onPseudoLabels?.(labels);
    await hooks.afterWarmUp?.(ssm);
    warm = { model: await ssm.stateDict(), labels };
  }
  const { labels } = warm;
  hooks.onPhase?.('rdl');
  const rdl = await trainRdl(gpu, data, config, labels, ssm, part('rdl'));
  return { ssm, rdl, labels };
}

// A cluster with more than this share of all samples is a sign of collapse.
const COLLAPSE = 0.5;

/** A warning if one cluster holds most of the samples, else null. */
export function collapseWarning(where: string, sizes: readonly number[], modality: string): string | null {
  const share = Math.max(...sizes) / sizes.reduce((sum, size) => sum + size, 0);
  if (share <= COLLAPSE) return null;
  const percent = Math.round(100 * share);
  return `${where}: one cluster holds ${percent}% of the ${modality}: the heads may be collapsing (sizes ${sizes})`;
}
