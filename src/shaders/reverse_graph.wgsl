// The reversed neighbour graph: for each point, the points that have it as a neighbour. Built by counting; the lists
// are then sorted, because the order in which invocations arrive is chance and sums in f32 must not depend on it.

struct Sizes {
  batch: u32,
  points: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> neighbours: array<i32>; // [batch, points, k], within the cloud
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>; // [batch, points], zero at first
@group(0) @binding(2) var<storage, read_write> startsOut: array<u32>; // [batch * points + 1]: where each point's list begins
@group(0) @binding(3) var<storage, read> startsIn: array<u32>;
@group(0) @binding(4) var<storage, read_write> sources: array<u32>; // [batch * points * k]: the lists, concatenated
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(64) fn count(launch: Launch) {
  let edge = indexOf(launch);
  if (edge < sizes.batch * sizes.points * sizes.k) {
    let first = edge / (sizes.points * sizes.k) * sizes.points;
    atomicAdd(&counts[first + u32(neighbours[edge])], 1u);
  }
}

// One invocation per cloud. The counts are left at zero for the next pass.
@compute @workgroup_size(64) fn scan(launch: Launch) {
  let cloud = indexOf(launch);
  if (cloud >= sizes.batch) {
    return;
  }
  var total = cloud * sizes.points * sizes.k;
  for (var point = cloud * sizes.points; point < (cloud + 1u) * sizes.points; point++) {
    startsOut[point] = total;
    total += atomicExchange(&counts[point], 0u);
  }
  if (cloud == sizes.batch - 1u) {
    startsOut[sizes.batch * sizes.points] = total;
  }
}

@compute @workgroup_size(64) fn place(launch: Launch) {
  let edge = indexOf(launch);
  if (edge < sizes.batch * sizes.points * sizes.k) {
    let first = edge / (sizes.points * sizes.k) * sizes.points;
    let point = first + u32(neighbours[edge]);
    sources[startsIn[point] + atomicAdd(&counts[point], 1u)] = edge / sizes.k;
  }
}

@compute @workgroup_size(64) fn sort(launch: Launch) {
  let point = indexOf(launch);
  if (point >= sizes.batch * sizes.points) {
    return;
  }
  let start = startsIn[point];
  let end = startsIn[point + 1u];
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
