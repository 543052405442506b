/**
 * ResNet-18 and DGCNN for the peers, written once over a few ops that each peer provides, with the names and PyTorch
 * shapes of their weights. Ours and PyTorch use their own; the comparison of outputs keeps them equal.
 */
const WIDTHS = [64, 64, 128, 256];

/** [name, shape in PyTorch's layout] of all trained tensors, including the classifier. */
export function parametersOf(spec) {
  const list = [];
  const weight = (name, ...shape) => list.push([`${name}.weight`, shape]);
  const norm = (name, channels) => list.push([`${name}.weight`, [channels]], [`${name}.bias`, [channels]]);
  const linear = (name, from, to) => list.push([`${name}.weight`, [to, from]], [`${name}.bias`, [to]]);
  const { embedding, classes } = spec;
  if (spec.network === 'resnet18') {
    weight('conv1', 64, 3, 7, 7);
    norm('bn1', 64);
    for (const { name, from, to, stride } of blocks()) {
      weight(`${name}.conv1`, to, from, 3, 3);
      norm(`${name}.bn1`, to);
      weight(`${name}.conv2`, to, to, 3, 3);
      norm(`${name}.bn2`, to);
      if (stride === 1) continue;
      weight(`${name}.downsample.0`, to, from, 1, 1);
      norm(`${name}.downsample.1`, to);
    }
    linear('fc', 512, embedding);
    norm('bn_fc', embedding);
  } else {
    let channels = 3;
    WIDTHS.forEach((width, i) => {
      weight(`conv${i + 1}.0`, width, 2 * channels);
      norm(`conv${i + 1}.1`, width);
      channels = width;
    });
    weight('conv5.0', embedding, 512);
    norm('conv5.1', embedding);
    weight('linear1', embedding, 2 * embedding);
    norm('bn1', embedding);
  }
  linear('classifier', embedding, classes);
  return list;
}

function blocks() {
  let from = 64;
  return WIDTHS.map((_, i) => 64 * 2 ** i).flatMap((to, stage) =>
    [0, 1].map((index) => {
      const block = { name: `layer${stage + 1}.${index}`, from, to, stride: stage > 0 && index === 0 ? 2 : 1 };
      from = to;
      return block;
    }),
  );
}

/** x: images -> embedding. `ops.norm(x, name, slope)`: batch norm and leaky ReLU (slope 1: none, 0: ReLU). */
export function resnet18(ops, x) {
  let y = ops.norm(ops.conv(x, 'conv1', 2, 3), 'bn1', 0);
  y = ops.maxPool(y); // 3x3, stride 2, padding 1
  for (const { name, stride } of blocks()) {
    const inner = ops.norm(ops.conv(y, `${name}.conv1`, stride, 1), `${name}.bn1`, 0);
    const outer = ops.norm(ops.conv(inner, `${name}.conv2`, 1, 1), `${name}.bn2`, 1);
    const skip = stride === 1 ? y : ops.norm(ops.conv(y, `${name}.downsample.0`, stride, 0), `${name}.downsample.1`, 1);
    y = ops.relu(ops.add(outer, skip));
  }
  return ops.norm(ops.linear(ops.meanPixels(y), 'fc'), 'bn_fc', 0);
}

/** x: clouds [B, N, 3] -> embedding. `ops.edgeConv(x, conv, norm, k)` finds the neighbours too. */
export function dgcnn(ops, x, k) {
  const features = [];
  let y = x;
  WIDTHS.forEach((_, i) => {
    y = ops.edgeConv(y, `conv${i + 1}.0`, `conv${i + 1}.1`, k);
    features.push(y);
  });
  return dgcnnTail(ops, features);
}

export function dgcnnTail(ops, features) {
  const points = ops.norm(ops.linear(ops.concat(features), 'conv5.0'), 'conv5.1', 0.2);
  const cloud = ops.concat([ops.maxPoints(points), ops.meanPoints(points)]);
  return ops.norm(ops.linear(cloud, 'linear1'), 'bn1', 0.01);
}
