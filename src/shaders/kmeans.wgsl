// k-means: every row to its nearest centre, every centre to the mean of its rows.

// For `update`: one channel per invocation, or four if channels are a multiple of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  rows: u32,
  channels: Values,
  clusters: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>; // [rows, channels]
@group(0) @binding(1) var<storage, read> centres: array<f32>; // [clusters, channels]
@group(0) @binding(2) var<storage, read_write> assigned: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> distances: array<f32>; // [rows], squared
@group(0) @binding(4) var<storage, read> labels: array<i32>;
@group(0) @binding(5) var<storage, read> members: array<Value>; // x, for `update`
@group(0) @binding(6) var<storage, read_write> moved: array<Value>; // [clusters, channels]
@group(0) @binding(7) var<storage, read> x4: array<vec4f>;
@group(0) @binding(8) var<storage, read> centres4: array<vec4f>;
@group(0) @binding(9) var<uniform> sizes: Sizes;

// Ties go to the lower cluster.
@compute @workgroup_size(64) fn assign(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  var best = 3.4e38;
  var winner = 0u;
  for (var cluster = 0u; cluster < sizes.clusters; cluster++) {
    var squared = 0.0;
    for (var c = 0u; c < sizes.channels; c++) {
      let d = x[row * sizes.channels + c] - centres[cluster * sizes.channels + c];
      squared += d * d;
    }
    if (squared < best) {
      best = squared;
      winner = cluster;
    }
  }
  assigned[row] = i32(winner);
  distances[row] = best;
}

// The same, four channels per load.
@compute @workgroup_size(64) fn assign4(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  var best = 3.4e38;
  var winner = 0u;
  for (var cluster = 0u; cluster < sizes.clusters; cluster++) {
    var squared = vec4f();
    for (var c = 0u; c < channels4; c++) {
      let d = x4[row * channels4 + c] - centres4[cluster * channels4 + c];
      squared += d * d;
    }
    let total = (squared.x + squared.y) + (squared.z + squared.w);
    if (total < best) {
      best = total;
      winner = cluster;
    }
  }
  assigned[row] = i32(winner);
  distances[row] = best;
}

// One channel per invocation, or four. An empty cluster keeps its centre.
@compute @workgroup_size(64) fn update(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.clusters * sizes.channels) {
    return;
  }
  let cluster = i32(i / sizes.channels);
  var sum = Value();
  var count = 0.0;
  for (var row = 0u; row < sizes.rows; row++) {
    if (labels[row] == cluster) {
      sum += members[row * sizes.channels + i % sizes.channels];
      count += 1.0;
    }
  }
  if (count > 0.0) {
    moved[i] = sum / count;
  }
}
