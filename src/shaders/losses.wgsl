// Losses on rows of logits [rows, classes]: the loss of each row and its gradient in one pass over the row.

struct Sizes {
  rows: u32,
  classes: u32,
  alpha: f32, // RCLL's exponent
  threshold: f32, // RCLL's lowest probability
  temperature: f32, // contrastive
  total: f32, // rows that the mean is over; `rows` may be a part of them
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>; // [rows, classes], each row a distribution
@group(0) @binding(3) var<storage, read_write> losses: array<f32>; // [rows]
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>; // of the mean of the losses
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn rowOf(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

fn largest(start: u32) -> f32 {
  var best = logits[start];
  for (var c = 1u; c < sizes.classes; c++) {
    best = max(best, logits[start + c]);
  }
  return best;
}

fn sumOfExponentials(start: u32, top: f32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < sizes.classes; c++) {
    sum += exp(logits[start + c] - top);
  }
  return sum;
}

// -ln softmax(logits)[label]
@compute @workgroup_size(64)
fn crossEntropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowOf(group, groups, local);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let label = u32(labels[row]);
  let top = largest(start);
  let total = sumOfExponentials(start, top);
  losses[row] = log(total) - (logits[start + label] - top);
  for (var c = 0u; c < sizes.classes; c++) {
    let p = exp(logits[start + c] - top) / total;
    gradient[start + c] = (p - select(0.0, 1.0, c == label)) / sizes.total;
  }
}

// -sum over classes of target ln softmax(logits)
@compute @workgroup_size(64)
fn softCrossEntropy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowOf(group, groups, local);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let top = largest(start);
  let total = sumOfExponentials(start, top);
  var loss = 0.0;
  var mass = 0.0;
  for (var c = 0u; c < sizes.classes; c++) {
    loss += targets[start + c] * (log(total) - (logits[start + c] - top));
    mass += targets[start + c];
  }
  losses[row] = loss;
  for (var c = 0u; c < sizes.classes; c++) {
    let p = exp(logits[start + c] - top) / total;
    gradient[start + c] = (mass * p - targets[start + c]) / sizes.total;
  }
}

// RCLL: l(max(p, threshold)) with l(p) = (-ln p)^alpha (1 - p), p = softmax(logits)[label].
// 1 - p is summed from the other classes, so that p near 1 keeps its digits.
@compute @workgroup_size(64)
fn rcll(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowOf(group, groups, local);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let label = u32(labels[row]);
  let top = largest(start);
  let total = sumOfExponentials(start, top);
  var others = 0.0;
  for (var c = 0u; c < sizes.classes; c++) {
    others += select(exp(logits[start + c] - top), 0.0, c == label);
  }
  let p = exp(logits[start + label] - top) / total;
  if (p <= sizes.threshold) { // too uncertain to believe: a constant, no gradient
    losses[row] = pow(-log(sizes.threshold), sizes.alpha) * (1.0 - sizes.threshold);
    for (var c = 0u; c < sizes.classes; c++) {
      gradient[start + c] = 0.0;
    }
    return;
  }
  let q = max(others / total, 1e-30); // 1 - p, kept above 0 for the power below
  let information = select(-log(p), q + 0.5 * q * q, q < 1e-3); // -ln p
  let power = pow(information, sizes.alpha);
  losses[row] = power * q;
  let w = p * power + sizes.alpha * q * (power / information);
  for (var c = 0u; c < sizes.classes; c++) {
    let other = w * exp(logits[start + c] - top) / total;
    gradient[start + c] = select(other, -w * q, c == label) / sizes.total;
  }
}

// logits are cosines [2n, 2n]: row a's partner is a + n (mod 2n), its own column is left out.
// -2 ln( exp(cos(a, partner) / t) / sum over b != a of exp(cos(a, b) / t) )
@compute @workgroup_size(64)
fn contrastive(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = rowOf(group, groups, local);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let partner = (row + sizes.rows / 2u) % sizes.rows;
  let scale = 1.0 / sizes.temperature;
  var top = logits[start + partner];
  for (var b = 0u; b < sizes.rows; b++) {
    top = select(max(top, logits[start + b]), top, b == row);
  }
  var total = 0.0;
  for (var b = 0u; b < sizes.rows; b++) {
    total += select(exp((logits[start + b] - top) * scale), 0.0, b == row);
  }
  losses[row] = 2.0 * (log(total) - (logits[start + partner] - top) * scale);
  for (var b = 0u; b < sizes.rows; b++) {
    let p = select(exp((logits[start + b] - top) * scale) / total, 0.0, b == row);
    gradient[start + b] = 2.0 * scale * (p - select(0.0, 1.0, b == partner)) / sizes.total;
  }
}
