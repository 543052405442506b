enable subgroups;

// search.wgsl's `scan` for software adapters whose subgroups have 8 lanes: loads are expensive there.
// `scan` is for many queries: the lanes keep 4 of them each, load rows together and share them by broadcast.
// `scanEight` is for few: every lane has a slice of the rows to itself and reads two at a time; the lanes load 8 queries
// together and share these. `scanOne` is for one or two queries, each of which scans on its own.

struct Sizes {
  rows: u32,
  queries: u32,
  channels: u32,
  k: u32,
  slices: u32,
  rowsPerSlice: u32, // a multiple of 4, for `scan` of 64
  first: u32,
}

@group(0) @binding(0) var<storage, read> gallery4: array<vec4f>; // [rows, channels]
@group(0) @binding(1) var<storage, read> queries4: array<vec4f>; // [queries, channels]
@group(0) @binding(2) var<storage, read> afterScores: array<f32>; // [queries]
@group(0) @binding(3) var<storage, read> afterRows: array<i32>;
@group(0) @binding(4) var<storage, read_write> sliceScores: array<f32>; // [queries, slices, k]
@group(0) @binding(5) var<storage, read_write> sliceRows: array<i32>;
@group(0) @binding(6) var<storage, read> bestScores: array<f32>; // [queries, k], of the blocks before
@group(0) @binding(7) var<storage, read> chosen: array<u32>; // [rows], the rows of gallery4 to look at
@group(0) @binding(8) var<uniform> sizes: Sizes;

const LIST = 64u;

// The lists of 8 queries, sorted. A lane's rows come in ascending order, so of equal scores the first stays ahead.
var<private> scores: array<f32, 512>;
var<private> rows: array<i32, 512>;
var<private> four: array<vec4f, 8>; // the scores of a query and a tile's rows

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

// A row that does not beat the worst of the best so far is not an answer, so the lists begin with its score.
fn clearList(n: u32, query: u32) {
  let worst = bestScores[(query + 1u) * sizes.k - 1u];
  for (var slot = n * LIST; slot < n * LIST + sizes.k; slot++) {
    scores[slot] = worst;
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

// acc[4 lane + query] += queries[query] * rows[lane]: 4 queries of this lane times the 32 rows that the lanes have loaded.
fn accumulate(acc: ptr<function, array<vec4f, 32>>, queries: vec4f, rows: vec4f) {
  addRows(acc, 0u, queries, subgroupBroadcast(rows, 0u));
  addRows(acc, 4u, queries, subgroupBroadcast(rows, 1u));
  addRows(acc, 8u, queries, subgroupBroadcast(rows, 2u));
  addRows(acc, 12u, queries, subgroupBroadcast(rows, 3u));
  addRows(acc, 16u, queries, subgroupBroadcast(rows, 4u));
  addRows(acc, 20u, queries, subgroupBroadcast(rows, 5u));
  addRows(acc, 24u, queries, subgroupBroadcast(rows, 6u));
  addRows(acc, 28u, queries, subgroupBroadcast(rows, 7u));
}

fn addRows(acc: ptr<function, array<vec4f, 32>>, first: u32, queries: vec4f, rows: vec4f) {
  (*acc)[first] = fma(vec4f(queries.x), rows, (*acc)[first]);
  (*acc)[first + 1u] = fma(vec4f(queries.y), rows, (*acc)[first + 1u]);
  (*acc)[first + 2u] = fma(vec4f(queries.z), rows, (*acc)[first + 2u]);
  (*acc)[first + 3u] = fma(vec4f(queries.w), rows, (*acc)[first + 3u]);
}

// Four steps of the sum for the lane's 4 queries: their columns c.
fn loadQueries(first: u32, c: u32) -> mat4x4f {
  let channels4 = sizes.channels / 4u;
  let last = sizes.queries - 1u;
  return transpose(mat4x4f(
    queries4[min(first, last) * channels4 + c],
    queries4[min(first + 1u, last) * channels4 + c],
    queries4[min(first + 2u, last) * channels4 + c],
    queries4[min(first + 3u, last) * channels4 + c],
  ));
}

// Where the lane's 4 rows of a tile begin.
fn startsOf(row: u32) -> vec4u {
  let last = sizes.rows - 1u;
  let numbers = vec4u(
    chosen[min(row, last)],
    chosen[min(row + 1u, last)],
    chosen[min(row + 2u, last)],
    chosen[min(row + 3u, last)],
  );
  return numbers * (sizes.channels / 4u);
}

fn loadRows(starts: vec4u, c: u32) -> mat4x4f {
  return transpose(mat4x4f(
    gallery4[starts.x + c],
    gallery4[starts.y + c],
    gallery4[starts.z + c],
    gallery4[starts.w + c],
  ));
}

// With steps[k % 4] the loop over the steps would be unrolled, and would run out of registers.
fn rotated(steps: mat4x4f) -> mat4x4f {
  return mat4x4f(steps[1], steps[2], steps[3], steps[0]);
}

// Offers the scores of 32 rows to the lists of the lane's 4 queries. Hardly ever is one of them good enough.
fn select32(acc: ptr<function, array<vec4f, 32>>, firstQuery: u32, start: u32, end: u32) {
  for (var n = 0u; n < 4u; n++) {
    var best = (*acc)[n];
    for (var i = 1u; i < 8u; i++) {
      best = max(best, (*acc)[4u * i + n]);
    }
    let last = n * LIST + sizes.k - 1u;
    if (max(max(best.x, best.y), max(best.z, best.w)) > scores[last]) {
      for (var i = 0u; i < 8u; i++) {
        four[i] = (*acc)[4u * i + n];
      }
      for (var row = start; row < min(end, start + 32u); row += 4u) {
        let some = four[(row - start) / 4u];
        if (any(some > vec4f(scores[last]))) {
          for (var j = 0u; j < min(4u, end - row); j++) {
            offer(n, min(firstQuery + n, sizes.queries - 1u), some[j], row + j);
          }
        }
      }
    }
  }
}

// A tile is 32 queries, of which a lane has 4, times 64 rows, of which a lane loads 8.
@compute @workgroup_size(8) fn scan(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = groupOf(group);
  let slice = index % sizes.slices;
  let tileQuery = index / sizes.slices * 32u;
  if (tileQuery >= sizes.queries) {
    return;
  }
  let firstQuery = tileQuery + 4u * lane;
  for (var n = 0u; n < 4u; n++) {
    clearList(n, min(firstQuery + n, sizes.queries - 1u));
  }
  let end = min(sizes.rows, (slice + 1u) * sizes.rowsPerSlice);
  for (var start = slice * sizes.rowsPerSlice; start < end; start += 64u) {
    let leftStarts = startsOf(start + 4u * lane);
    let rightStarts = startsOf(start + 32u + 4u * lane);
    var leftAcc: array<vec4f, 32>;
    var rightAcc: array<vec4f, 32>;
    var queries: mat4x4f;
    var left: mat4x4f;
    var right: mat4x4f;
    for (var k = 0u; k < sizes.channels; k++) {
      if (k % 4u == 0u) {
        queries = loadQueries(firstQuery, k / 4u);
        left = loadRows(leftStarts, k / 4u);
        right = loadRows(rightStarts, k / 4u);
      }
      accumulate(&leftAcc, queries[0], left[0]);
      accumulate(&rightAcc, queries[0], right[0]);
      queries = rotated(queries);
      left = rotated(left);
      right = rotated(right);
    }
    select32(&leftAcc, firstQuery, start, end);
    if (start + 32u < end) {
      select32(&rightAcc, firstQuery, start + 32u, end);
    }
  }
  for (var n = 0u; n < 4u; n++) {
    if (firstQuery + n < sizes.queries) {
      store(n, firstQuery + n, slice);
    }
  }
}

@compute @workgroup_size(8) fn scanEight(group: Group, @builtin(local_invocation_index) lane: u32) {
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
  for (var n = 0u; n < 8u; n++) {
    clearList(n, min(firstQuery + n, lastQuery));
  }
  let start = slice * sizes.rowsPerSlice;
  for (var i = 0u; i < sizes.rowsPerSlice; i += 2u) {
    let row = start + i;
    let left = chosen[min(row, lastRow)] * channels4;
    let right = chosen[min(row + 1u, lastRow)] * channels4;
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
  clearList(0u, query);
  let start = slice * sizes.rowsPerSlice;
  for (var i = 0u; i < sizes.rowsPerSlice; i += 4u) {
    let row = start + i;
    let row0 = chosen[min(row, lastRow)] * channels4;
    let row1 = chosen[min(row + 1u, lastRow)] * channels4;
    let row2 = chosen[min(row + 2u, lastRow)] * channels4;
    let row3 = chosen[min(row + 3u, lastRow)] * channels4;
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
