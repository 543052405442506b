/** A small network learns to tell two interleaved half moons apart, with gradients on the GPU. */
import { Linear, Module, openDevice, Random, record, Sgd, softmaxCrossEntropy, tanh } from 'romo';

const gpu = await openDevice();
const random = new Random(1, 'moons');
/** Noisy points on two half circles. A tensor is a shape over a GPU buffer: here [count, 2] and [count]. */
function moons(count) {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  const points = Array.from(labels, (label) => {
    const [angle, side] = [Math.PI * random.uniform(), 1 - 2 * label];
    const [x, y] = [label + side * Math.cos(angle), label / 2 + side * Math.sin(angle)];
    return [x + 0.15 * random.normal(), y + 0.15 * random.normal()];
  });
  return { labels, points: gpu.tensor(points.flat(), [count, 2]), targets: gpu.tensor(labels, [count]) };
}
class Mlp extends Module {
  hidden = this.child('hidden', new Linear(this.gpu, 2, 16, { seed: 1, path: 'hidden' }));
  output = this.child('output', new Linear(this.gpu, 16, 2, { seed: 1, path: 'output' }));
  forward(x) {
    // [count, 2] -> [count, 16] -> [count, 2]
    return this.output.forward(tanh(this.hidden.forward(x)));
  }
}
const [train, test, model] = [moons(256), moons(256), new Mlp(gpu)];
const sgd = new Sgd(gpu, model.parameters(), { learningRate: 0.5, momentum: 0.9 });
for (let step = 0; step <= 200; step++) {
  // A tape writes down the ops of the forward pass and owns the tensors that they make.
  const tape = record(gpu, () => softmaxCrossEntropy(model.forward(train.points), train.targets));
  // Ops only queue work for the GPU; a read runs the queue and waits for the numbers.
  if (step % 50 === 0) console.log(`step ${step}: loss ${(await tape.loss.read())[0].toFixed(4)}`);
  tape.backward(); // walks the tape in reverse, sets the grad of each parameter, frees what the tape owns
  sgd.step(); // moves each parameter against its grad and frees the grad
}
const scope = gpu.scope(); // a scope owns the tensors that ops make while no tape records
const logits = await model.forward(test.points).read(); // of points not used in training
scope.end(); // their buffers go back to the pool, for reuse
const right = test.labels.filter((label, i) => label === Number(logits[2 * i + 1] > logits[2 * i])).length;
console.log(`accuracy on held-out points: ${(right / test.labels.length).toFixed(3)}`);
gpu.close(); // without this Node would not exit
