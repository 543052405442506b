// Rows scaled to length 1: out = x / max(|x|, epsilon).

struct Sizes {
  rows: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> grad: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

const EPSILON = 1e-12;

fn lengthOf(row: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < sizes.channels; c++) {
    let v = x[row * sizes.channels + c];
    sum += v * v;
  }
  return sqrt(sum);
}

@compute @workgroup_size(64) fn normalizeRow(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let inverse = 1.0 / max(lengthOf(row), EPSILON);
  for (var c = 0u; c < sizes.channels; c++) {
    out[row * sizes.channels + c] = x[row * sizes.channels + c] * inverse;
  }
}

// dx = (g - y (y . g)) / |x|; below epsilon the length is a constant and dx = g / epsilon
@compute @workgroup_size(64) fn normalizeGradient(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let norm = lengthOf(row);
  let inverse = 1.0 / max(norm, EPSILON);
  var along = 0.0;
  if (norm > EPSILON) {
    for (var c = 0u; c < sizes.channels; c++) {
      along += x[row * sizes.channels + c] * inverse * grad[row * sizes.channels + c];
    }
  }
  for (var c = 0u; c < sizes.channels; c++) {
    let at = row * sizes.channels + c;
    out[at] = (grad[at] - x[at] * inverse * along) * inverse;
  }
}
