/** The state from which a stage resumes as if it had never stopped. It is read from the GPU between two steps. */
import { RomoError } from '../../tensor/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The two stages of training: warm-up, then robust learning. */
export type TrainedStage = 'ssm' | 'rdl';

/** A cluster for each training object and modality. */
export interface PseudoLabels {
  /** one per training object */
  images: Int32Array;
  clouds: Int32Array;
}

/**
 * Everything that later steps depend on, as plain numbers by name: parameters, momentum, running statistics, memory
 * banks. Random numbers need no state: those of a batch depend only on seed, stage, epoch and sample.
 */
export interface StageState {
  readonly stage: TrainedStage;
  /** epochs done */
  readonly epoch: number;
  /** steps done in the current epoch */
  readonly step: number;
  readonly tensors: Readonly<Record<string, Float32Array>>;
  /** pseudo labels of the current epoch; null between epochs */
  readonly labels: PseudoLabels | null;
}

/** The progress of training, between two steps. */
export interface Position<State> {
  readonly stage: TrainedStage;
  /** epochs done */
  readonly epoch: number;
  /** steps done in the current epoch */
  readonly step: number;
  /** Waits until the steps so far are reported, then reads everything that `resumeFrom` takes. */
  state(): Promise<State>;
}

/**
 * Reads the tensors. The copies are queued at once, before any later step.
 * @throws RomoError `not-finite` if one holds NaN or infinity, since training could not resume from that
 */
export async function readTensors(
  stage: TrainedStage,
  changing: ReadonlyMap<string, Tensor>,
): Promise<Record<string, Float32Array>> {
  const names = [...changing.keys()];
  const values = await Promise.all([...changing.values()].map((tensor) => tensor.readFloats()));
  values.forEach((numbers, i) => {
    const bad = numbers.findIndex((number) => !Number.isFinite(number));
    if (bad < 0) return;
    throw new RomoError('not-finite', `${stage}: ${names[i]}[${bad}] is ${numbers[bad]}`, 'Lower the learning rate.');
  });
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** Writes a state back to the GPU. @throws RomoError `state-dict` if it does not belong to this stage */
export function restore(state: StageState, stage: TrainedStage, changing: ReadonlyMap<string, Tensor>): void {
  const unfit = [...changing].filter(([name, tensor]) => state.tensors[name]?.length !== tensor.size);
  if (state.stage !== stage || unfit.length > 0) {
    const names = unfit.map(([name]) => name).join(', ');
    throw new RomoError(
      'state-dict',
      `${stage} cannot resume from a state of ${state.stage}: ${names || 'another stage'}`,
      'Resume with the configuration that the state was made with.',
    );
  }
  for (const [name, tensor] of changing) tensor.write(state.tensors[name]);
}
