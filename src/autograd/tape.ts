/**
 * The tape: ops record what they did; `backward` walks it in reverse and applies the chain rule.
 *
 *     const tape = record(gpu, () => loss(model.forward(x)));
 *     tape.backward();            // parameter.grad is set, everything else is freed
 *
 * An op is defined in its own file with `differentiable`: forward and backward side by side. Backward returns one entry
 * per input, by name; leaving one out does not compile, and an input without a gradient says why with
 * `noGradient(reason)`.
 */
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import type { Scope } from '../tensor/memory.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { addTensors, fill } from './elementary.ts';

/** Says on purpose that an input has no gradient. */
export class NoGradient {
  constructor(readonly reason: string) {}
}
/** Says, in place of a gradient, why an input has none. */
export const noGradient = (reason: string): NoGradient => new NoGradient(reason);

export type Inputs = Record<string, Tensor | undefined>;

/** One gradient per input, computed only when it is wanted. */
export type Gradients<In extends Inputs> = { [Name in keyof In]-?: (() => Tensor) | NoGradient };

type Saved = Record<string, unknown>;

/** An op: what it computes and how gradients flow back through it. */
export interface Definition<In extends Inputs, Options, S extends Saved> {
  readonly name: string;
  /** Checks shapes, queues the kernels. Tensors in `saved` live until backward has run. */
  forward(inputs: In, options: Options): { output: Tensor; saved?: S };
  /** `grad` has the shape of `output`. */
  backward(grad: Tensor, of: { inputs: In; options: Options; output: Tensor; saved: S }): Gradients<In>;
}

interface Node {
  readonly name: string;
  readonly inputs: Inputs;
  readonly output: Tensor;
  readonly saved: readonly Tensor[];
  gradients(grad: Tensor): Record<string, (() => Tensor) | NoGradient>;
}

/** Turns a definition into the op itself. */
export function differentiable<In extends Inputs, Options, S extends Saved>(
  definition: Definition<In, Options, S>,
): (inputs: In, ...options: undefined extends Options ? [Options?] : [Options]) => Tensor {
  return (inputs, ...[options]) => {
    const tensors = Object.values(inputs).filter((tensor) => tensor !== undefined);
    const { gpu } = tensors[0];
    using scope = gpu.scope(); // frees the temporary tensors of forward
    const { output, saved = {} as S } = definition.forward(inputs, options as Options);
    scope.escape(output);
    const tape = gpu.tape as Tape | null;
    if (!tape?.recording || !tensors.some((tensor) => tensor.requiresGrad)) return output;
    const own = Object.values(saved).filter((value): value is Tensor => isTensor(value) && value.scope === scope);
    for (const tensor of own) scope.escape(tensor);
    const of = { inputs, options: options as Options, output, saved };
    tape.push({
      name: definition.name,
      inputs,
      output,
      saved: own,
      gradients: (grad) => definition.backward(grad, of),
    });
    output.requiresGrad = true;
    return output;
  };
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'storage' in value;
}

/** The record of a forward pass; made by `record`, used up by `backward`. */
export class Tape {
  recording = true;
  private nodes: Node[] = [];
  private readonly scope: Scope;
  /** what `forward` returned; valid until `backward` or `end`, unless kept */
  loss: Tensor | null = null;

  constructor(private readonly gpu: Gpu) {
    this.scope = gpu.scope();
  }

  /** Writes down an op; called by ops. */
  push(node: Node): void {
    this.nodes.push(node);
  }

  /**
   * Fills `grad` of every parameter that the loss depends on, adding to a gradient that is already there, and frees
   * what the tape held; tensors taken out with `keep()` stay.
   * @param seed the gradient of the output itself; ones when absent, for a loss of shape [1]
   */
  backward(seed?: Tensor): void {
    const { loss, gpu } = this;
    if (!loss) throw new RomoError('tape', 'backward: nothing was recorded', 'Use record(gpu, () => loss).');
    if (!seed && loss.size !== 1) {
      const problem = `backward: the output has shape [${loss.shape}], not [1]`;
      throw new RomoError('tape', problem, 'Pass a seed of that shape.');
    }
    const gradients = new Map<Tensor, Tensor>();
    try {
      gradients.set(loss, seed ? seed.view(seed.shape) : fill(gpu, loss.shape, 1));
      const outputs = new Set(this.nodes.map((node) => node.output));
      for (const node of this.nodes.reverse()) {
        const grad = gradients.get(node.output);
        if (grad) {
          gradients.delete(node.output);
          this.propagate(node, grad, gradients, outputs);
          grad.dispose();
        }
        for (const tensor of [node.output, ...node.saved]) if (tensor.scope) tensor.dispose();
      }
    } finally {
      this.end();
    }
  }

  private propagate(node: Node, grad: Tensor, gradients: Map<Tensor, Tensor>, outputs: Set<Tensor>): void {
    using scope = this.gpu.scope(); // frees the temporary tensors of the gradients
    const thunks = node.gradients(grad);
    for (const [name, input] of Object.entries(node.inputs)) {
      const thunk = thunks[name];
      if (!input?.requiresGrad) continue;
      if (thunk instanceof NoGradient) {
        throw new RomoError('tape', `${node.name}: no gradient with respect to ${name}: ${thunk.reason}`, 'Detach it.');
      }
      let gradient = thunk();
      if (gradient === grad) gradient = grad.view(grad.shape); // shared by several inputs: each holds its own reference
      const leaf = !outputs.has(input);
      const earlier = leaf ? input.grad : gradients.get(input);
      const total = earlier ? addTensors(earlier, gradient) : gradient;
      earlier?.dispose();
      scope.escape(total);
      if (leaf) input.grad = total.keep();
      else gradients.set(input, total);
    }
  }

  /** Stops without a backward pass and frees what was recorded. */
  end(): void {
    this.nodes = [];
    this.scope.end();
  }
}

/**
 * Runs `forward`, recording its ops, and returns the tape with `forward`'s result as `tape.loss`. Tensors made
 * from here to `backward` belong to the tape: `backward` frees them, the loss too. Read the loss before `backward`, or take it out with `keep()`.
 */
export function record(gpu: Gpu, forward: () => Tensor): Tape {
  if (gpu.tape) throw new RomoError('tape', 'record: a tape is recording already', 'Tapes do not nest.');
  const tape = new Tape(gpu);
  gpu.tape = tape;
  try {
    tape.loss = forward();
    return tape;
  } catch (error) {
    tape.end();
    throw error;
  } finally {
    tape.recording = false;
    gpu.tape = null;
  }
}
