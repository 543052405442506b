enable subgroups;

// knn.wgsl for software adapters whose subgroups have 8 lanes: loads are expensive there. Each lane has two queries;
// the lanes load 8 candidates together and share them by broadcast. The list of the best is kept sorted by passing each
// candidate down it: no indexing, no branches, so that it stays in registers.

struct Sizes {
  batch: u32,
  points: u32,
  channels: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> x4: array<vec4f>; // [batch, points, channels], channels a multiple of 4
@group(0) @binding(1) var<storage, read_write> neighbours: array<i32>; // [batch, points, k]
@group(0) @binding(2) var<uniform> sizes: Sizes;

override CHUNKS: u32 = 4; // the list has 4 * CHUNKS places; k is at most that

const FAR = 3.4e38;

struct List {
  distances: array<vec4f, 16>,
  indices: array<vec4u, 16>,
}

// Passes (squared distance, index) down the list: it takes the place of the first entry that is farther, and all after it move
// down by one. Candidates come by ascending index, so of equal distances the one that is there already stays in front.
fn push(list: ptr<function, List>, candidate: f32, candidateIndex: u32) {
  var moving = candidate;
  var index = candidateIndex;
  var nearer = false;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    var d = (*list).distances[chunk];
    var n = (*list).indices[chunk];
    for (var slot = 0u; slot < 4u; slot++) {
      nearer = nearer | (moving < d[slot]);
      let passedDistance = select(moving, d[slot], nearer);
      let passedIndex = select(index, n[slot], nearer);
      d[slot] = select(d[slot], moving, nearer);
      n[slot] = select(n[slot], index, nearer);
      moving = passedDistance;
      index = passedIndex;
    }
    (*list).distances[chunk] = d;
    (*list).indices[chunk] = n;
  }
}

fn squared(d: vec4f) -> f32 {
  return d.x * d.x + d.y * d.y + d.z * d.z + d.w * d.w;
}

fn store(list: ptr<function, List>, query: u32) {
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    for (var slot = 0u; slot < 4u; slot++) {
      if (chunk * 4u + slot < sizes.k) {
        neighbours[query * sizes.k + chunk * 4u + slot] = i32((*list).indices[chunk][slot]);
      }
    }
  }
}

@compute @workgroup_size(8) fn knn(group: Group, @builtin(local_invocation_index) lane: u32) {
  let tilesPerCloud = (sizes.points + 15u) / 16u;
  let tile = groupOf(group);
  let cloud = tile / tilesPerCloud;
  if (cloud >= sizes.batch) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let first = cloud * sizes.points;
  let left = tile % tilesPerCloud * 16u + lane;
  let right = left + 8u;
  let leftAt = (first + min(left, sizes.points - 1u)) * channels4;
  let rightAt = (first + min(right, sizes.points - 1u)) * channels4;
  var leftList: List;
  var rightList: List;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    leftList.distances[chunk] = vec4f(FAR);
    rightList.distances[chunk] = vec4f(FAR);
  }
  for (var j = 0u; j < sizes.points; j += 8u) {
    let candidate = (first + min(j + lane, sizes.points - 1u)) * channels4;
    var leftSums = array<f32, 8>();
    var rightSums = array<f32, 8>();
    for (var c = 0u; c < channels4; c++) {
      let p = x4[leftAt + c];
      let q = x4[rightAt + c];
      let y = x4[candidate + c];
      let y0 = subgroupBroadcast(y, 0u);
      let y1 = subgroupBroadcast(y, 1u);
      let y2 = subgroupBroadcast(y, 2u);
      let y3 = subgroupBroadcast(y, 3u);
      let y4 = subgroupBroadcast(y, 4u);
      let y5 = subgroupBroadcast(y, 5u);
      let y6 = subgroupBroadcast(y, 6u);
      let y7 = subgroupBroadcast(y, 7u);
      leftSums[0] += squared(p - y0);
      leftSums[1] += squared(p - y1);
      leftSums[2] += squared(p - y2);
      leftSums[3] += squared(p - y3);
      leftSums[4] += squared(p - y4);
      leftSums[5] += squared(p - y5);
      leftSums[6] += squared(p - y6);
      leftSums[7] += squared(p - y7);
      rightSums[0] += squared(q - y0);
      rightSums[1] += squared(q - y1);
      rightSums[2] += squared(q - y2);
      rightSums[3] += squared(q - y3);
      rightSums[4] += squared(q - y4);
      rightSums[5] += squared(q - y5);
      rightSums[6] += squared(q - y6);
      rightSums[7] += squared(q - y7);
    }
    for (var n = 0u; n < 8u; n++) {
      let beyond = j + n >= sizes.points;
      let d = select(leftSums[n], FAR, beyond);
      let e = select(rightSums[n], FAR, beyond);
      if (d < leftList.distances[CHUNKS - 1u].w) {
        push(&leftList, d, j + n);
      }
      if (e < rightList.distances[CHUNKS - 1u].w) {
        push(&rightList, e, j + n);
      }
    }
  }
  if (left < sizes.points) {
    store(&leftList, first + left);
  }
  if (right < sizes.points) {
    store(&rightList, first + right);
  }
}
