// The memory bank of RoMo: row id moves towards the sample's embedding and is brought back to length 1.

struct Sizes {
  rows: u32, // of the batch
  channels: u32,
  momentum: f32,
}

@group(0) @binding(0) var<storage, read_write> memory: array<f32>; // [samples, channels]
@group(0) @binding(1) var<storage, read> features: array<f32>; // [rows, channels]
@group(0) @binding(2) var<storage, read> indices: array<i32>; // [rows], each at most once
@group(0) @binding(3) var<uniform> sizes: Sizes;

// m <- normalize(momentum m + (1 - momentum) v)
@compute @workgroup_size(64) fn update(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let start = u32(indices[row]) * sizes.channels;
  var squares = 0.0;
  for (var c = 0u; c < sizes.channels; c++) {
    let v = mix(features[row * sizes.channels + c], memory[start + c], sizes.momentum);
    memory[start + c] = v;
    squares += v * v;
  }
  let inverse = 1.0 / max(sqrt(squares), 1e-12);
  for (var c = 0u; c < sizes.channels; c++) {
    memory[start + c] *= inverse;
  }
}
