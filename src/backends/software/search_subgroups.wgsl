enable subgroups;

// search.wgsl's `scan` for software adapters whose subgroups have 8 lanes: loads are expensive there. Every lane has a
// slice of the rows to itself. In `scan` it reads two rows at a time; the lanes load 8 queries together and share them
// by broadcast.
// `scanOne` is for one or two queries, each of which scans on its own.

struct Sizes {
  rows: u32,
  queries: u32,
  channels: u32,
  k: u32,
  slices: u32,
  rowsPerSlice: u32, // a multiple of 4
  first: u32,
}

@group(0) @binding(0) var<storage, read> gallery4: array<vec4f>; // [rows, channels]
@group(0) @binding(1) var<storage, read> queries4: array<vec4f>; // [queries, channels]
@group(0) @binding(2) var<storage, read> afterScores: array<f32>; // [queries]
@group(0) @binding(3) var<storage, read> afterRows: array<i32>;
@group(0) @binding(4) var<storage, read_write> sliceScores: array<f32>; // [queries, slices, k]
@group(0) @binding(5) var<storage, read_write> sliceRows: array<i32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const LIST = 64u;
const NOTHING = -3.4e38;

// The lists of 8 queries, sorted. A lane's rows come in ascending order, so of equal scores the first stays ahead.
var<private> scores: array<f32, 512>;
var<private> rows: array<i32, 512>;

fn offer(n: u32, query: u32, score: f32, row: u32) {
  let list = n * LIST;
  let last = list + sizes.k - 1u;
  if (score <= scores[last]) {
    return;
  }
  let number = i32(sizes.first + row);
  let afterScore = afterScores[query];
  if (score > afterScore || (score == afterScore && number <= afterRows[query])) {
    return;
  }
  var slot = last;
  while (slot > list && scores[slot - 1u] < score) {
    scores[slot] = scores[slot - 1u];
    rows[slot] = rows[slot - 1u];
    slot--;
  }
  scores[slot] = score;
  rows[slot] = number;
}

fn clearLists(lists: u32) {
  for (var slot = 0u; slot < lists * LIST; slot++) {
    scores[slot] = NOTHING;
    rows[slot] = -1;
  }
}

fn store(n: u32, query: u32, slice: u32) {
  let to = (query * sizes.slices + slice) * sizes.k;
  for (var slot = 0u; slot < sizes.k; slot++) {
    sliceScores[to + slot] = scores[n * LIST + slot];
    sliceRows[to + slot] = rows[n * LIST + slot];
  }
}

@compute @workgroup_size(8) fn scan(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = groupOf(group);
  let sliceTiles = (sizes.slices + 7u) / 8u;
  let slice = index % sliceTiles * 8u + lane;
  let firstQuery = index / sliceTiles * 8u;
  if (firstQuery >= sizes.queries) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let lastRow = sizes.rows - 1u;
  let lastQuery = sizes.queries - 1u;
  let queryAt = min(firstQuery + lane, lastQuery) * channels4;
  clearLists(8u);
  let start = slice * sizes.rowsPerSlice;
  for (var i = 0u; i < sizes.rowsPerSlice; i += 2u) {
    let row = start + i;
    let left = min(row, lastRow) * channels4;
    let right = min(row + 1u, lastRow) * channels4;
    var leftSums = array<f32, 8>();
    var rightSums = array<f32, 8>();
    for (var c = 0u; c < channels4; c++) {
      let y = gallery4[left + c];
      let z = gallery4[right + c];
      let q = queries4[queryAt + c];
      let q0 = subgroupBroadcast(q, 0u);
      let q1 = subgroupBroadcast(q, 1u);
      let q2 = subgroupBroadcast(q, 2u);
      let q3 = subgroupBroadcast(q, 3u);
      let q4 = subgroupBroadcast(q, 4u);
      let q5 = subgroupBroadcast(q, 5u);
      let q6 = subgroupBroadcast(q, 6u);
      let q7 = subgroupBroadcast(q, 7u);
      leftSums[0] += dot(y, q0);
      leftSums[1] += dot(y, q1);
      leftSums[2] += dot(y, q2);
      leftSums[3] += dot(y, q3);
      leftSums[4] += dot(y, q4);
      leftSums[5] += dot(y, q5);
      leftSums[6] += dot(y, q6);
      leftSums[7] += dot(y, q7);
      rightSums[0] += dot(z, q0);
      rightSums[1] += dot(z, q1);
      rightSums[2] += dot(z, q2);
      rightSums[3] += dot(z, q3);
      rightSums[4] += dot(z, q4);
      rightSums[5] += dot(z, q5);
      rightSums[6] += dot(z, q6);
      rightSums[7] += dot(z, q7);
    }
    for (var n = 0u; n < 8u; n++) {
      let query = min(firstQuery + n, lastQuery);
      if (row <= lastRow) {
        offer(n, query, leftSums[n], row);
      }
      if (row + 1u <= lastRow) {
        offer(n, query, rightSums[n], row + 1u);
      }
    }
  }
  if (slice < sizes.slices) {
    for (var n = 0u; n < min(8u, sizes.queries - firstQuery); n++) {
      store(n, firstQuery + n, slice);
    }
  }
}

@compute @workgroup_size(8) fn scanOne(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = groupOf(group);
  let sliceTiles = (sizes.slices + 7u) / 8u;
  let slice = index % sliceTiles * 8u + lane;
  let query = index / sliceTiles;
  if (query >= sizes.queries) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let lastRow = sizes.rows - 1u;
  clearLists(1u);
  let start = slice * sizes.rowsPerSlice;
  for (var i = 0u; i < sizes.rowsPerSlice; i += 4u) {
    let row = start + i;
    let row0 = min(row, lastRow) * channels4;
    let row1 = min(row + 1u, lastRow) * channels4;
    let row2 = min(row + 2u, lastRow) * channels4;
    let row3 = min(row + 3u, lastRow) * channels4;
    var sums = vec4f();
    for (var c = 0u; c < channels4; c++) {
      let q = queries4[query * channels4 + c];
      sums += vec4f(
        dot(gallery4[row0 + c], q),
        dot(gallery4[row1 + c], q),
        dot(gallery4[row2 + c], q),
        dot(gallery4[row3 + c], q),
      );
    }
    for (var n = 0u; n < 4u; n++) {
      if (row + n <= lastRow) {
        offer(0u, query, sums[n], row + n);
      }
    }
  }
  if (slice < sizes.slices) {
    store(0u, query, slice);
  }
}
