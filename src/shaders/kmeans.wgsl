// k-means: every row to its nearest centre, every centre to the mean of its rows.

struct Sizes {
  rows: u32,
  channels: u32,
  clusters: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>; // [rows, channels]
@group(0) @binding(1) var<storage, read> centres: array<f32>; // [clusters, channels]
@group(0) @binding(2) var<storage, read_write> assigned: array<i32>; // [rows]
@group(0) @binding(3) var<storage, read_write> distances: array<f32>; // [rows], squared
@group(0) @binding(4) var<storage, read> labels: array<i32>;
@group(0) @binding(5) var<storage, read_write> moved: array<f32>; // [clusters, channels]; an empty cluster keeps its place
@group(0) @binding(6) var<uniform> sizes: Sizes;

// Ties go to the lower cluster.
@compute @workgroup_size(64)
fn assign(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + local;
  if (row >= sizes.rows) {
    return;
  }
  var best = 3.4e38;
  var winner = 0u;
  for (var cluster = 0u; cluster < sizes.clusters; cluster++) {
    var distance = 0.0;
    for (var c = 0u; c < sizes.channels; c++) {
      let d = x[row * sizes.channels + c] - centres[cluster * sizes.channels + c];
      distance += d * d;
    }
    if (distance < best) {
      best = distance;
      winner = cluster;
    }
  }
  assigned[row] = i32(winner);
  distances[row] = best;
}

@compute @workgroup_size(64)
fn update(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= sizes.clusters * sizes.channels) {
    return;
  }
  let cluster = i32(i / sizes.channels);
  var sum = 0.0;
  var count = 0.0;
  for (var row = 0u; row < sizes.rows; row++) {
    if (labels[row] == cluster) {
      sum += x[row * sizes.channels + i % sizes.channels];
      count += 1.0;
    }
  }
  if (count > 0.0) {
    moved[i] = sum / count;
  }
}
