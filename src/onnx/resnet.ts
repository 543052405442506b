/** The ResNet of model/resnet.ts as ONNX ops. Depth and width follow from the names and shapes of the weights. */
import type { Layers } from './layers.ts';

/** Basic block, or bottleneck where there is a third convolution. The stride is that of the 3x3 convolution. */
function block(layers: Layers, x: string, name: string, stride: number): string {
  const convolution = (input: string, number: number, by: number) =>
    layers.convolution(input, `${name}.conv${number}`, `${name}.bn${number}`, by);
  const projected = layers.has(`${name}.downsample.0.weight`);
  const skip = projected ? layers.convolution(x, `${name}.downsample.0`, `${name}.downsample.1`, stride) : x;
  const isBottleneck = layers.has(`${name}.conv3.weight`);
  let y = layers.activate(convolution(x, 1, isBottleneck ? 1 : stride), 0);
  y = convolution(y, 2, isBottleneck ? stride : 1);
  if (isBottleneck) y = convolution(layers.activate(y, 0), 3, 1);
  return layers.activate(layers.graph.node('Add', [y, skip]), 0);
}

/** x [B, C, H, W] -> embedding [B, d], not normalised. */
export function resnet(layers: Layers, x: string): string {
  const { graph } = layers;
  let y = layers.activate(layers.convolution(x, 'conv1', 'bn1', 2), 0);
  const isSmall = layers.weight('conv1.weight').shape[2] === 3;
  if (!isSmall) y = graph.node('MaxPool', [y], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  for (let stage = 1; stage <= 4; stage++) {
    for (let index = 0; layers.has(`layer${stage}.${index}.conv1.weight`); index++) {
      y = block(layers, y, `layer${stage}.${index}`, stage > 1 && index === 0 ? 2 : 1);
    }
  }
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [y])]);
  return layers.linear(pooled, 'fc', 'bn_fc', 0);
}
