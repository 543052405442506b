// k nearest neighbours inside each cloud x [batch, points, channels], the point itself included, nearest first, of equal
// distances the lower index first. An invocation keeps its list of the best: no points x points matrix is stored.
//
// A list holds up to 64 neighbours. For a larger k the cloud is scanned again for those after the last one found.

struct Sizes {
  batch: u32,
  points: u32,
  channels: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> neighbours: array<i32>; // [batch, points, k]
@group(0) @binding(3) var<uniform> sizes: Sizes;

const LIST = 64u;
const FAR = 3.4e38;

var<private> distances: array<f32, 64>;
var<private> indices: array<u32, 64>;

// Puts a candidate into the sorted list of `places` entries, whose last one it replaces.
fn insert(squared: f32, index: u32, places: u32) {
  var slot = places - 1u;
  while (slot > 0u && distances[slot - 1u] > squared) {
    distances[slot] = distances[slot - 1u];
    indices[slot] = indices[slot - 1u];
    slot--;
  }
  distances[slot] = squared;
  indices[slot] = index;
}

fn clearList(places: u32) {
  for (var slot = 0u; slot < places; slot++) {
    distances[slot] = FAR;
    indices[slot] = 0u;
  }
}

// Does (squared, index) come after the last neighbour of the previous round?
fn comesAfter(squared: f32, index: u32, lastDistance: f32, lastIndex: u32) -> bool {
  return squared > lastDistance || (squared == lastDistance && index > lastIndex);
}

@compute @workgroup_size(64) fn knnScalar(launch: Launch) {
  let query = indexOf(launch);
  if (query >= sizes.batch * sizes.points) {
    return;
  }
  let first = query / sizes.points * sizes.points;
  var lastDistance = -1.0;
  var lastIndex = 0u;
  for (var found = 0u; found < sizes.k; found += LIST) {
    let places = min(LIST, sizes.k - found);
    clearList(places);
    for (var j = 0u; j < sizes.points; j++) {
      var squared = 0.0;
      for (var c = 0u; c < sizes.channels; c++) {
        let d = x[query * sizes.channels + c] - x[(first + j) * sizes.channels + c];
        squared += d * d;
      }
      if (squared < distances[places - 1u] && comesAfter(squared, j, lastDistance, lastIndex)) {
        insert(squared, j, places);
      }
    }
    for (var slot = 0u; slot < places; slot++) {
      neighbours[query * sizes.k + found + slot] = i32(indices[slot]);
    }
    lastDistance = distances[places - 1u];
    lastIndex = indices[places - 1u];
  }
}

// For GPUs: LANES invocations share a query. Each keeps the best of its candidates, which it sees four at a time and four channels
// per load; then the lanes merge their lists. channels is a multiple of 4.
override LANES = 1u; // a power of two
var<workgroup> headDistances: array<f32, 64>;
var<workgroup> headIndices: array<u32, 64>;

@compute @workgroup_size(64) fn knn(group: Group, @builtin(local_invocation_index) local: u32) {
  let asked = groupOf(group) * (64u / LANES) + local / LANES;
  let query = min(asked, sizes.batch * sizes.points - 1u);
  let lane = local % LANES;
  let channels4 = sizes.channels / 4u;
  let first = query / sizes.points * sizes.points;
  var lastDistance = -1.0;
  var lastIndex = 0u;
  for (var found = 0u; found < sizes.k; found += LIST) {
    let places = min(LIST, sizes.k - found);
    clearList(places);
    for (var j = 4u * lane; j < sizes.points; j += 4u * LANES) {
      let rows = (first + min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(sizes.points - 1u))) * channels4;
      var sums = vec4f();
      for (var c = 0u; c < channels4; c++) {
        let q = x4[query * channels4 + c];
        let d0 = q - x4[rows.x + c];
        let d1 = q - x4[rows.y + c];
        let d2 = q - x4[rows.z + c];
        let d3 = q - x4[rows.w + c];
        sums += vec4f(dot(d0, d0), dot(d1, d1), dot(d2, d2), dot(d3, d3));
      }
      for (var n = 0u; n < min(4u, sizes.points - j); n++) {
        if (sums[n] < distances[places - 1u] && comesAfter(sums[n], j + n, lastDistance, lastIndex)) {
          insert(sums[n], j + n, places);
        }
      }
    }
    var head = 0u; // of this lane's list: its nearest that is not merged yet
    for (var slot = 0u; slot < places; slot++) {
      headDistances[local] = distances[head];
      headIndices[local] = indices[head];
      workgroupBarrier();
      var best = local - lane;
      for (var other = best + 1u; other < local - lane + LANES; other++) {
        if (comesAfter(headDistances[best], headIndices[best], headDistances[other], headIndices[other])) {
          best = other;
        }
      }
      lastDistance = headDistances[best];
      lastIndex = headIndices[best];
      workgroupBarrier();
      if (best == local) {
        head++;
        if (asked == query) {
          neighbours[query * sizes.k + found + slot] = i32(lastIndex);
        }
      }
    }
  }
}
