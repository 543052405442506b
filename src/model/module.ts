/**
 * The base of all layers: named tensors, training and evaluation mode, state dicts under PyTorch's names and layouts.
 */
import type { Gpu } from '../tensor/device.ts';
import { RomoError } from '../tensor/error.ts';
import { sizeOf, type Tensor } from '../tensor/tensor.ts';

/**
 * How a tensor is stored in PyTorch: as here, transposed [out, in], the same with one or two trailing axes of length 1
 * (1x1 convolutions), or [out, in, height, width].
 */
export type Layout = 'same' | 'linear' | 'conv1x1' | 'conv1' | 'conv';

/** A tensor of a module and how it is stored. */
export interface Entry {
  readonly tensor: Tensor;
  readonly layout: Layout;
  /** trained by gradient, or only stored (running statistics) */
  readonly kind: 'parameter' | 'buffer';
}

/** Values with their shape. */
export interface Floats {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
/** Tensors by name, in PyTorch's layout. */
export type StateDict = Record<string, Floats>;

/** The entries whose names start with the prefix, without it. */
export function unprefixed(state: StateDict, prefix: string): StateDict {
  const own = Object.entries(state).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, floats]) => [name.slice(prefix.length), floats]));
}

/** The base of all layers and models. */
export abstract class Module {
  training = true;
  private readonly entries = new Map<string, Entry>();
  private readonly children = new Map<string, Module>();

  constructor(readonly gpu: Gpu) {}

  /** Registers a tensor that is trained. It is kept until `dispose`. */
  protected parameter(name: string, tensor: Tensor, layout: Layout = 'same'): Tensor {
    tensor.keep().requiresGrad = true;
    this.entries.set(name, { tensor, layout, kind: 'parameter' });
    return tensor;
  }

  /** Registers a tensor that is stored but not trained. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    this.entries.set(name, { tensor: tensor.keep(), layout: 'same', kind: 'buffer' });
    return tensor;
  }

  /** Registers a part, so that its tensors appear in parameters() and stateDict() as NAME.theirs. Returns it. */
  protected child<M extends Module>(name: string, module: M): M {
    this.children.set(name, module);
    return module;
  }

  /** All tensors by their names in PyTorch, in order of registration. */
  namedEntries(prefix = ''): Map<string, Entry> {
    const all = new Map<string, Entry>();
    for (const [name, entry] of this.entries) all.set(prefix + name, entry);
    for (const [name, module] of this.children) {
      for (const [inner, entry] of module.namedEntries(`${prefix}${name}.`)) all.set(inner, entry);
    }
    return all;
  }

  /** The tensors that an optimiser trains, by name. */
  parameters(): Map<string, Tensor> {
    const entries = [...this.namedEntries()].filter(([, entry]) => entry.kind === 'parameter');
    return new Map(entries.map(([name, entry]) => [name, entry.tensor]));
  }

  /** Switches between training and evaluation (batch norm's running statistics). */
  setTraining(training: boolean): void {
    this.training = training;
    for (const module of this.children.values()) module.setTraining(training);
  }

  /** All tensors in PyTorch's layout. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = {};
    for (const [name, { tensor, layout }] of this.namedEntries()) {
      state[name] = toTorch(await tensor.readFloats(), tensor.shape, layout);
    }
    return state;
  }

  /**
   * Loads all tensors from PyTorch's layout, after `checkStateDict`: if that throws, nothing has changed.
   * @param name of the file, for errors
   * @param optional prefixes of names that may be missing, such as those of a new head; their tensors keep their values
   * @throws RomoError `state-dict` that lists missing, unused and misshapen keys
   */
  loadStateDict(state: StateDict, name = 'state dict', optional: readonly string[] = []): void {
    this.checkStateDict(state, name, optional);
    for (const [key, { tensor, layout }] of this.namedEntries()) {
      if (state[key]) tensor.write(fromTorch(state[key].data, tensor.shape, layout));
    }
  }

  /**
   * Throws `state-dict` with the lists of missing, unused and misshapen keys. `num_batches_tracked` is ignored. See
   * loadStateDict for the parameters.
   */
  checkStateDict(state: StateDict, name = 'state dict', optional: readonly string[] = []): void {
    const entries = this.namedEntries();
    const faults: string[] = [];
    for (const [key, { tensor, layout }] of entries) {
      const given = state[key];
      const wanted = torchShape(tensor.shape, layout);
      if (!given && optional.some((start) => key.startsWith(start))) continue;
      if (!given) faults.push(`missing: ${key} [${wanted}]`);
      else if (`${given.shape}` !== `${wanted}`) faults.push(`misshapen: ${key} is [${given.shape}], not [${wanted}]`);
    }
    for (const key of Object.keys(state)) {
      if (!entries.has(key) && !key.endsWith('num_batches_tracked')) faults.push(`unused: ${key}`);
    }
    if (faults.length > 0) {
      throw new RomoError(
        'state-dict',
        `${name} does not fit this model: ${faults.join('; ')}`,
        'Build the model with the options that it was saved with.',
      );
    }
  }

  /** Frees all tensors. */
  dispose(): void {
    for (const { tensor } of this.namedEntries().values()) tensor.dispose();
  }
}

/** Our axes in PyTorch's order; ours are linear [in, out], conv [height, width, in, out]. */
const ORDER: Record<Layout, readonly number[] | null> = {
  same: null,
  linear: [1, 0],
  conv1: [1, 0],
  conv1x1: [1, 0],
  conv: [3, 2, 0, 1],
};
const TRAILING: Partial<Record<Layout, readonly number[]>> = { conv1: [1], conv1x1: [1, 1] };

function torchShape(shape: readonly number[], layout: Layout): number[] {
  const order = ORDER[layout];
  return [...(order ? order.map((axis) => shape[axis]) : shape), ...(TRAILING[layout] ?? [])];
}

/**
 * Calls `visit(position in PyTorch's order, index in ours)` for each element; a plain loop, as there may be millions.
 */
function forEachIndex(
  shape: readonly number[],
  order: readonly number[],
  visit: (position: number, index: number) => void,
): void {
  const strides = order.map((axis) => sizeOf(shape.slice(axis + 1)));
  const lengths = order.map((axis) => shape[axis]);
  const counter = order.map(() => 0);
  const size = sizeOf(shape);
  let index = 0;
  for (let position = 0; position < size; position++) {
    visit(position, index);
    for (let axis = order.length - 1; axis >= 0; axis--) {
      counter[axis]++;
      index += strides[axis];
      if (counter[axis] < lengths[axis]) break;
      index -= strides[axis] * lengths[axis];
      counter[axis] = 0;
    }
  }
}

function toTorch(data: Float32Array, shape: readonly number[], layout: Layout): Floats {
  const order = ORDER[layout];
  if (!order) return { shape, data };
  const out = new Float32Array(data.length);
  forEachIndex(shape, order, (position, index) => {
    out[position] = data[index];
  });
  return { shape: torchShape(shape, layout), data: out };
}

function fromTorch(data: Float32Array, shape: readonly number[], layout: Layout): Float32Array {
  const order = ORDER[layout];
  if (!order) return data;
  const out = new Float32Array(data.length);
  forEachIndex(shape, order, (position, index) => {
    out[index] = data[position];
  });
  return out;
}
