/** A small training step with a convolution, batch norm, pooling, a linear layer, a loss and an optimiser. */
import { batchNorm } from '../../src/autograd/batch_norm.ts';
import { conv2d } from '../../src/autograd/conv2d.ts';
import { softmaxCrossEntropy } from '../../src/autograd/losses.ts';
import { matmul } from '../../src/autograd/matmul.ts';
import { add } from '../../src/autograd/pointwise.ts';
import { globalMeanPool } from '../../src/autograd/reduce.ts';
import { record } from '../../src/autograd/tape.ts';
import { Sgd } from '../../src/model/sgd.ts';
import type { Gpu } from '../../src/tensor/device.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { argument } from './gradcheck.ts';

const BATCH = 4;
const CLASSES = 5;

export class TinyTraining {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly sgd: Sgd;

  constructor(private readonly gpu: Gpu) {
    const parameter = (name: string, shape: number[], low = -0.5, high = 0.5): [string, Tensor] => {
      const tensor = gpu.tensor(argument(name, shape, low, high).data, shape).keep();
      tensor.requiresGrad = true;
      return [name, tensor];
    };
    this.images = gpu.zeros([BATCH, 6, 6, 3]).keep();
    this.labels = gpu.zeros([BATCH], 'i32').keep();
    this.runningMean = gpu.zeros([8]).keep();
    this.runningVar = gpu.tensor(new Float32Array(8).fill(1), [8]).keep();
    this.parameters = new Map([
      parameter('kernel', [3, 3, 3, 8]),
      parameter('gamma', [8], 0.5, 1.5),
      parameter('beta', [8]),
      parameter('weight', [8, CLASSES]),
      parameter('bias', [CLASSES]),
    ]);
    this.sgd = new Sgd(gpu, this.parameters, { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-3 });
  }

  /** Loads batch number `step` and its learning rate. */
  load(step: number): void {
    this.images.write(argument(`batch ${step}`, this.images.shape).data);
    this.labels.write(Int32Array.from({ length: BATCH }, (_, i) => (step + i) % CLASSES));
    this.sgd.setRate(0.1 / (1 + step));
  }

  /** Queues one step; the caller frees the loss. */
  step(): Tensor {
    using _ = this.gpu.scope();
    const parameter = (name: string) => this.parameters.get(name) as Tensor;
    const tape = record(this.gpu, () => {
      const { runningMean, runningVar } = this;
      const features = conv2d(this.images, parameter('kernel'), { stride: 2, padding: 1 });
      const options = { training: true, slope: 0, runningMean, runningVar };
      const pooled = globalMeanPool(batchNorm(features, parameter('gamma'), parameter('beta'), options));
      const logits = add(matmul(pooled, parameter('weight')), parameter('bias'));
      return softmaxCrossEntropy(logits, this.labels).keep();
    });
    tape.backward();
    this.sgd.step();
    return tape.loss as Tensor;
  }

  /** Everything that training changes, as one array. */
  async state(): Promise<number[]> {
    const tensors = [...this.parameters.values(), ...this.sgd.state.values(), this.runningMean, this.runningVar];
    const values: number[] = [];
    for (const tensor of tensors) values.push(...(await tensor.readFloats()));
    return values;
  }

  dispose(): void {
    for (const tensor of [this.images, this.labels, this.runningMean, this.runningVar]) tensor.dispose();
    for (const tensor of this.parameters.values()) tensor.dispose();
    this.sgd.dispose();
  }
}
