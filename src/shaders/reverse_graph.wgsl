// The neighbour graph turned round: for each point, who names it. Built by counting; the lists are then sorted, because the
// order in which invocations arrive is chance and sums in f32 must not depend on it.

struct Sizes {
  batch: u32,
  points: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> neighbours: array<i32>; // [batch, points, k], within the cloud
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>; // [batch, points], zero at first
@group(0) @binding(2) var<storage, read_write> starts: array<u32>; // [batch * points + 1]: where each point's list begins
@group(0) @binding(3) var<storage, read> starts_: array<u32>;
@group(0) @binding(4) var<storage, read_write> sources: array<u32>; // [batch * points * k]: the lists, one behind the other
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn indexOf(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

@compute @workgroup_size(64)
fn count(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let edge = indexOf(group, groups, local);
  if (edge < sizes.batch * sizes.points * sizes.k) {
    let first = edge / (sizes.points * sizes.k) * sizes.points;
    atomicAdd(&counts[first + u32(neighbours[edge])], 1u);
  }
}

// One invocation per cloud. The counts are left at zero for the next pass.
@compute @workgroup_size(64)
fn scan(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let cloud = indexOf(group, groups, local);
  if (cloud >= sizes.batch) {
    return;
  }
  var total = cloud * sizes.points * sizes.k;
  for (var point = cloud * sizes.points; point < (cloud + 1u) * sizes.points; point++) {
    starts[point] = total;
    total += atomicExchange(&counts[point], 0u);
  }
  if (cloud == sizes.batch - 1u) {
    starts[sizes.batch * sizes.points] = total;
  }
}

@compute @workgroup_size(64)
fn place(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let edge = indexOf(group, groups, local);
  if (edge < sizes.batch * sizes.points * sizes.k) {
    let first = edge / (sizes.points * sizes.k) * sizes.points;
    let point = first + u32(neighbours[edge]);
    sources[starts_[point] + atomicAdd(&counts[point], 1u)] = edge / sizes.k;
  }
}

@compute @workgroup_size(64)
fn sort(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let point = indexOf(group, groups, local);
  if (point >= sizes.batch * sizes.points) {
    return;
  }
  let start = starts_[point];
  let end = starts_[point + 1u];
  for (var i = start + 1u; i < end; i++) {
    let moved = sources[i];
    var slot = i;
    while (slot > start && sources[slot - 1u] > moved) {
      sources[slot] = sources[slot - 1u];
      slot--;
    }
    sources[slot] = moved;
  }
}

