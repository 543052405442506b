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
@group(0) @binding(6) var<storage, read> x4: array<vec4f>;
@group(0) @binding(7) var<storage, read> centres4: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> moved4: array<vec4f>;
@group(0) @binding(9) var<uniform> sizes: Sizes;

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

// The same, four channels per load.
@compute @workgroup_size(64)
fn assign4(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + local;
  if (row >= sizes.rows) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  var best = 3.4e38;
  var winner = 0u;
  for (var cluster = 0u; cluster < sizes.clusters; cluster++) {
    var distance = vec4f();
    for (var c = 0u; c < channels4; c++) {
      let d = x4[row * channels4 + c] - centres4[cluster * channels4 + c];
      distance += d * d;
    }
    let total = (distance.x + distance.y) + (distance.z + distance.w);
    if (total < best) {
      best = total;
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

// The same, four channels per invocation.
@compute @workgroup_size(64)
fn update4(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let channels4 = sizes.channels / 4u;
  if (i >= sizes.clusters * channels4) {
    return;
  }
  let cluster = i32(i / channels4);
  var sum = vec4f();
  var count = 0.0;
  for (var row = 0u; row < sizes.rows; row++) {
    if (labels[row] == cluster) {
      sum += x4[row * channels4 + i % channels4];
      count += 1.0;
    }
  }
  if (count > 0.0) {
    moved4[i] = sum / count;
  }
}
