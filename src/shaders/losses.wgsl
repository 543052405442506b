// Losses on rows of logits [rows, classes].
//
// LANES invocations share a row: one on a CPU, 64 that read side by side on a GPU, whose partial results meet in
// workgroup memory.

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
@group(0) @binding(5) var<storage, read> logits4: array<vec4f>; // the same as logits where classes are a multiple of 4
@group(0) @binding(6) var<storage, read_write> gradient4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> statesOut: array<vec4f>; // [rows]: see State
@group(0) @binding(8) var<storage, read> statesIn: array<vec4f>;
@group(0) @binding(9) var<storage, read> seed: array<f32>; // [1]: the gradient of the mean loss
@group(0) @binding(10) var<storage, read> weights: array<f32>; // [rows]
@group(0) @binding(11) var<uniform> sizes: Sizes;

override LANES: u32 = 1;
override WEIGHTED: u32 = 0; // 1: rows have weights
override MASKED: u32 = 0; // 1: pairs of one label are not negatives of each other

const NOBODY = 0xffffffffu;

var<workgroup> laneValues: array<f32, 64>;

// The sum over the row's lanes, or the largest, for all of them. Every invocation of a workgroup must come here.
fn overLanes(local: u32, value: f32, adds: bool) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  laneValues[local] = value;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach /= 2u) {
    if (local % LANES < reach) {
      let mine = laneValues[local];
      let other = laneValues[local + reach];
      laneValues[local] = select(max(mine, other), mine + other, adds);
    }
    workgroupBarrier();
  }
  let result = laneValues[local - local % LANES];
  workgroupBarrier();
  return result;
}

fn largest(row: u32, local: u32) -> f32 {
  let lane = local % LANES;
  var best = -3.4e38;
  if (sizes.classes % 4u == 0u) {
    let start = row * (sizes.classes / 4u);
    var best4 = vec4f(best);
    for (var c = lane; c < sizes.classes / 4u; c += LANES) {
      best4 = max(best4, logits4[start + c]);
    }
    best = max(max(best4.x, best4.y), max(best4.z, best4.w));
  } else {
    for (var c = lane; c < sizes.classes; c += LANES) {
      best = max(best, logits[row * sizes.classes + c]);
    }
  }
  return overLanes(local, best, false);
}

// exp(logit - top) for four classes, without class `skip`.
fn exponentials(at: u32, c: u32, top: f32, skip: u32) -> vec4f {
  return select(exp(logits4[at] - top), vec4f(), vec4u(c, c + 1u, c + 2u, c + 3u) == vec4u(skip));
}

fn sumOfExponentials(row: u32, local: u32, top: f32, skip: u32) -> f32 {
  let lane = local % LANES;
  var sum = 0.0;
  if (sizes.classes % 4u == 0u) {
    let start = row * (sizes.classes / 4u);
    var sum4 = vec4f();
    for (var c = lane; c < sizes.classes / 4u; c += LANES) {
      sum4 += exponentials(start + c, c * 4u, top, skip);
    }
    sum = sum4.x + sum4.y + sum4.z + sum4.w;
  } else {
    for (var c = lane; c < sizes.classes; c += LANES) {
      sum += select(exp(logits[row * sizes.classes + c] - top), 0.0, c == skip);
    }
  }
  return overLanes(local, sum, true);
}

// What the gradient of a row with a label is made of: `factor * exp(logit - top)` for every class but the label, which
// has a gradient of its own. 1 - p is summed from the other classes, so that p near 1 keeps its digits.
struct State {
  top: f32,
  factor: f32,
  labelGradient: f32,
}

struct Row {
  top: f32,
  others: f32, // sum of exp(logit - top) without the label
  total: f32,
  logit: f32, // of the label, less top
}

fn rowWithLabel(row: u32, local: u32) -> Row {
  let label = u32(labels[row]);
  let top = largest(row, local);
  let others = sumOfExponentials(row, local, top, label);
  let logit = logits[row * sizes.classes + label] - top;
  return Row(top, others, others + exp(logit), logit);
}

fn store(index: u32, loss: f32, state: State) {
  let row = index / LANES;
  if (index % LANES == 0u && row < sizes.rows) {
    let weight = select(1.0, weights[row], WEIGHTED == 1u);
    losses[row] = weight * loss;
    statesOut[row] = vec4f(state.top, weight * state.factor, weight * state.labelGradient, 0.0);
  }
}

// -ln softmax(logits)[label]
@compute @workgroup_size(64) fn crossEntropy(launch: Launch) {
  let index = indexOf(launch);
  let row = rowWithLabel(min(index / LANES, sizes.rows - 1u), launch.local);
  store(index, log(row.total) - row.logit, State(row.top, 1.0 / row.total, -row.others / row.total));
}

// RCLL: l(max(p, threshold)) with l(p) = (-ln p)^alpha (1 - p), p = softmax(logits)[label].
@compute @workgroup_size(64) fn rcll(launch: Launch) {
  let index = indexOf(launch);
  let row = rowWithLabel(min(index / LANES, sizes.rows - 1u), launch.local);
  let p = exp(row.logit) / row.total;
  let q = max(row.others / row.total, 1e-30); // 1 - p, kept above 0 for the power below
  let information = select(-log(p), q + 0.5 * q * q, q < 1e-3); // -ln p
  let power = pow(information, sizes.alpha);
  let w = p * power + sizes.alpha * q * (power / information);
  let believed = p > sizes.threshold; // else too uncertain: a constant, no gradient
  let constant = pow(-log(sizes.threshold), sizes.alpha) * (1.0 - sizes.threshold);
  store(
    index,
    select(constant, power * q, believed),
    State(row.top, select(0.0, w / row.total, believed), select(0.0, -w * q, believed)),
  );
}

@compute @workgroup_size(64) fn labelGradient(launch: Launch) {
  let index = indexOf(launch);
  let row = index / LANES;
  if (row >= sizes.rows) {
    return;
  }
  let label = u32(labels[row]);
  let state = statesIn[row];
  let share = seed[0] / sizes.total;
  let start = row * sizes.classes;
  for (var c = index % LANES; c < sizes.classes; c += LANES) {
    gradient[start + c] = share * select(state.y * exp(logits[start + c] - state.x), state.z, c == label);
  }
}

// The same, four classes at a time.
@compute @workgroup_size(64) fn labelGradient4(launch: Launch) {
  let index = indexOf(launch);
  let row = index / LANES;
  if (row >= sizes.rows) {
    return;
  }
  let label = vec4u(u32(labels[row]));
  let state = statesIn[row];
  let share = seed[0] / sizes.total;
  let classes4 = sizes.classes / 4u;
  for (var c = index % LANES; c < classes4; c += LANES) {
    let numbers = vec4u(c * 4u, c * 4u + 1u, c * 4u + 2u, c * 4u + 3u);
    let other = state.y * exp(logits4[row * classes4 + c] - state.x);
    gradient4[row * classes4 + c] = share * select(other, vec4f(state.z), numbers == label);
  }
}

// -sum over classes of target ln softmax(logits)
@compute @workgroup_size(64) fn softCrossEntropy(launch: Launch) {
  let index = indexOf(launch);
  let row = min(index / LANES, sizes.rows - 1u);
  let start = row * sizes.classes;
  let top = largest(row, launch.local);
  let total = sumOfExponentials(row, launch.local, top, NOBODY);
  var loss = 0.0;
  var mass = 0.0;
  for (var c = index % LANES; c < sizes.classes; c += LANES) {
    loss += targets[start + c] * (log(total) - (logits[start + c] - top));
    mass += targets[start + c];
  }
  loss = overLanes(launch.local, loss, true);
  mass = overLanes(launch.local, mass, true);
  if (index / LANES >= sizes.rows) {
    return;
  }
  if (index % LANES == 0u) {
    losses[row] = loss;
  }
  for (var c = index % LANES; c < sizes.classes; c += LANES) {
    let p = exp(logits[start + c] - top) / total;
    gradient[start + c] = (mass * p - targets[start + c]) / sizes.total;
  }
}

// Is b left out of row a's sum: a itself, or a row of another pair with the same label?
fn isLeftOut(a: u32, b: u32) -> bool {
  let i = a % (sizes.rows / 2u);
  let j = b % (sizes.rows / 2u);
  return a == b || (MASKED == 1u && i != j && labels[i] >= 0 && labels[i] == labels[j]);
}

// logits are cosines [2n, 2n]: row a's partner is a + n (mod 2n). If masked, labels [n] are those of the pairs; below 0: none.
// -2 ln( exp(cos(a, partner) / t) / sum over b that are not left out of exp(cos(a, b) / t) )
@compute @workgroup_size(64) fn contrastive(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let partner = (row + sizes.rows / 2u) % sizes.rows;
  let scale = 1.0 / sizes.temperature;
  var top = logits[start + partner];
  for (var b = 0u; b < sizes.rows; b++) {
    top = select(max(top, logits[start + b]), top, isLeftOut(row, b));
  }
  var total = 0.0;
  for (var b = 0u; b < sizes.rows; b++) {
    total += select(exp((logits[start + b] - top) * scale), 0.0, isLeftOut(row, b));
  }
  losses[row] = 2.0 * (log(total) - (logits[start + partner] - top) * scale);
  for (var b = 0u; b < sizes.rows; b++) {
    let p = select(exp((logits[start + b] - top) * scale) / total, 0.0, isLeftOut(row, b));
    gradient[start + b] = 2.0 * scale * (p - select(0.0, 1.0, b == partner)) / sizes.total;
  }
}
