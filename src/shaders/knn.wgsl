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

// Puts a candidate into the sorted list of `length` entries, whose last one it replaces.
fn insert(distance: f32, index: u32, length: u32) {
  var slot = length - 1u;
  while (slot > 0u && distances[slot - 1u] > distance) {
    distances[slot] = distances[slot - 1u];
    indices[slot] = indices[slot - 1u];
    slot--;
  }
  distances[slot] = distance;
  indices[slot] = index;
}

fn clearList(length: u32) {
  for (var slot = 0u; slot < length; slot++) {
    distances[slot] = FAR;
    indices[slot] = 0u;
  }
}

// Does (distance, index) come after the last neighbour of the previous round?
fn comesAfter(distance: f32, index: u32, lastDistance: f32, lastIndex: u32) -> bool {
  return distance > lastDistance || (distance == lastDistance && index > lastIndex);
}

fn store(query: u32, found: u32, length: u32) {
  for (var slot = 0u; slot < length; slot++) {
    neighbours[query * sizes.k + found + slot] = i32(indices[slot]);
  }
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
    let length = min(LIST, sizes.k - found);
    clearList(length);
    for (var j = 0u; j < sizes.points; j++) {
      var distance = 0.0;
      for (var c = 0u; c < sizes.channels; c++) {
        let d = x[query * sizes.channels + c] - x[(first + j) * sizes.channels + c];
        distance += d * d;
      }
      if (distance < distances[length - 1u] && comesAfter(distance, j, lastDistance, lastIndex)) {
        insert(distance, j, length);
      }
    }
    store(query, found, length);
    lastDistance = distances[length - 1u];
    lastIndex = indices[length - 1u];
  }
}

// Four candidates at a time, four channels per load. points and channels are multiples of 4.
@compute @workgroup_size(64) fn knn(launch: Launch) {
  let query = indexOf(launch);
  if (query >= sizes.batch * sizes.points) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let first = query / sizes.points * sizes.points;
  var lastDistance = -1.0;
  var lastIndex = 0u;
  for (var found = 0u; found < sizes.k; found += LIST) {
    let length = min(LIST, sizes.k - found);
    clearList(length);
    for (var j = 0u; j < sizes.points; j += 4u) {
      var sums = vec4f();
      let start = (first + j) * channels4;
      for (var c = 0u; c < channels4; c++) {
        let q = x4[query * channels4 + c];
        let d0 = q - x4[start + c];
        let d1 = q - x4[start + channels4 + c];
        let d2 = q - x4[start + 2u * channels4 + c];
        let d3 = q - x4[start + 3u * channels4 + c];
        sums += vec4f(dot(d0, d0), dot(d1, d1), dot(d2, d2), dot(d3, d3));
      }
      let worst = distances[length - 1u];
      if (any(sums < vec4f(worst))) {
        for (var n = 0u; n < 4u; n++) {
          if (sums[n] < distances[length - 1u] && comesAfter(sums[n], j + n, lastDistance, lastIndex)) {
            insert(sums[n], j + n, length);
          }
        }
      }
    }
    store(query, found, length);
    lastDistance = distances[length - 1u];
    lastIndex = indices[length - 1u];
  }
}
