/**
 * What a stage needs to resume as if it had never stopped: read from the GPU between two steps, written back at the
 * start.
 */
import { RomoError } from '../../tensor/error.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The two stages of training: warm-up, then robust learning. */
export type TrainedStage = 'ssm' | 'rdl';

/** A cluster for each training object and modality. */
export interface PseudoLabels {
  /** one per training object */
  images: Int32Array;
  clouds: Int32Array;
  /** which objects teach, 1 or 0; all where absent. See self_labels.ts. */
  confident?: Uint8Array;
}

/**
 * All that a later step depends on, as plain numbers by name: parameters, momentum, running statistics, memory banks.
 * Random numbers need no state: those of a batch follow from seed, stage, epoch and sample.
 */
export interface StageState {
  readonly stage: TrainedStage;
  /** epochs done */
  readonly epoch: number;
  /** steps done in the current epoch */
  readonly step: number;
  readonly tensors: Readonly<Record<string, Float32Array>>;
  /**
   * pseudo labels of the epoch under way, between epochs of the one before if the next are made from them; else null
   */
  readonly labels: PseudoLabels | null;
}

/** Where training is, between two steps. */
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
 * @throws RomoError `not-finite` where one holds NaN or infinity: training could not continue from that
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
