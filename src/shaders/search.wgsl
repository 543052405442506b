// The k best rows of a gallery for each query by dot product, best first, of equal scores the lower row first. No
// matrix of all scores: a workgroup keeps the best of its slice of the rows, and `merge` joins the slices.

struct Sizes {
  rows: u32, // of this block of the gallery, those that are chosen
  queries: u32,
  channels: u32, // a multiple of 4
  k: u32, // at most 64
  slices: u32,
  rowsPerSlice: u32, // rows, a multiple of 64
  first: u32, // number of the block's first row in the whole gallery
}

@group(0) @binding(0) var<storage, read> gallery4: array<vec4f>; // [rows, channels]
@group(0) @binding(1) var<storage, read> queries4: array<vec4f>; // [queries, channels]
// Only rows that come after these are looked for: the last answers of a round before, of a k over 64.
@group(0) @binding(2) var<storage, read> afterScores: array<f32>; // [queries]
@group(0) @binding(3) var<storage, read> afterRows: array<i32>; // [queries]
@group(0) @binding(4) var<storage, read_write> sliceScores: array<f32>; // [queries, slices, k]
@group(0) @binding(5) var<storage, read_write> sliceRows: array<i32>;
@group(0) @binding(6) var<storage, read_write> bestScores: array<f32>; // [queries, k]
@group(0) @binding(7) var<storage, read_write> bestRows: array<i32>;
@group(0) @binding(8) var<storage, read> chosen: array<u32>; // [rows], the rows of gallery4 to look at
@group(0) @binding(9) var<uniform> sizes: Sizes;

const QUERIES = 16u; // per workgroup
const STEP = 4u; // vec4 of each row at a time
const ROW = 5u; // vec4 from row to row of a tile: an odd number, so that lanes meet different banks

var<private> scores: array<f32, 64>;
var<private> rows: array<i32, 64>;

var<workgroup> rowsOfTile: array<u32, 64>;
var<workgroup> rowTile: array<vec4f, 320>; // 64 rows of ROW
var<workgroup> queryTile: array<vec4f, 64>; // QUERIES of STEP
var<workgroup> tileScores: array<f32, 1024>; // [QUERIES, 64]

// A row that does not beat the worst of the best so far is not an answer, so the list begins with its score.
fn clearList(query: u32) {
  for (var slot = 0u; slot < sizes.k; slot++) {
    scores[slot] = bestScores[min(query + 1u, sizes.queries) * sizes.k - 1u];
    rows[slot] = -1;
  }
}

// Inserts a row that beats the last one into the sorted list. Rows are ascending, so of equal scores the first stays ahead.
fn insert(score: f32, row: i32) {
  var slot = sizes.k - 1u;
  while (slot > 0u && scores[slot - 1u] < score) {
    scores[slot] = scores[slot - 1u];
    rows[slot] = rows[slot - 1u];
    slot--;
  }
  scores[slot] = score;
  rows[slot] = row;
}

// Does (score, row) come after the last answer of the round before?
fn comesAfter(score: f32, row: i32, query: u32) -> bool {
  return score < afterScores[query] || (score == afterScores[query] && row > afterRows[query]);
}

fn storeList(query: u32, slice: u32) {
  for (var slot = 0u; slot < sizes.k; slot++) {
    let to = (query * sizes.slices + slice) * sizes.k + slot;
    sliceScores[to] = scores[slot];
    sliceRows[to] = rows[slot];
  }
}

// The definition: one invocation per query and slice.
@compute @workgroup_size(64) fn scanScalar(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = groupOf(group) * 64u + lane;
  let slice = index % sizes.slices;
  let query = index / sizes.slices;
  if (query >= sizes.queries) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  clearList(query);
  for (var row = slice * sizes.rowsPerSlice; row < min(sizes.rows, (slice + 1u) * sizes.rowsPerSlice); row++) {
    var score = 0.0;
    for (var c = 0u; c < channels4; c++) {
      score += dot(gallery4[chosen[row] * channels4 + c], queries4[query * channels4 + c]);
    }
    let number = i32(sizes.first + row);
    if (score > scores[sizes.k - 1u] && comesAfter(score, number, query)) {
      insert(score, number);
    }
  }
  storeList(query, slice);
}

// For GPUs: a workgroup scans a slice of rows for 16 queries at a time, in tiles of 64 rows.
@compute @workgroup_size(64) fn scan(group: Group, @builtin(local_invocation_index) lane: u32) {
  let index = groupOf(group);
  let slice = index % sizes.slices;
  let firstQuery = index / sizes.slices * QUERIES;
  if (firstQuery >= sizes.queries) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let query = firstQuery + lane; // whose list this lane keeps, one of the first 16
  let keeps = lane < QUERIES && query < sizes.queries;
  clearList(query);
  let end = min(sizes.rows, (slice + 1u) * sizes.rowsPerSlice);
  for (var start = slice * sizes.rowsPerSlice; start < end; start += 64u) {
    var sums: array<f32, 16>;
    for (var n = 0u; n < QUERIES; n++) {
      sums[n] = 0.0;
    }
    rowsOfTile[lane] = chosen[min(start + lane, sizes.rows - 1u)];
    for (var c = 0u; c < channels4; c += STEP) {
      workgroupBarrier();
      for (var i = lane; i < 64u * STEP; i += 64u) {
        let at = c + i % STEP;
        let place = rowsOfTile[i / STEP] * channels4 + min(at, channels4 - 1u);
        rowTile[i / STEP * ROW + i % STEP] = select(vec4f(), gallery4[place], at < channels4);
      }
      let asked = firstQuery + lane / STEP;
      let at = c + lane % STEP;
      let inside = asked < sizes.queries && at < channels4;
      queryTile[lane] = select(vec4f(), queries4[select(0u, asked * channels4 + at, inside)], inside);
      workgroupBarrier();
      for (var s = 0u; s < STEP; s++) {
        let y = rowTile[lane * ROW + s];
        for (var n = 0u; n < QUERIES; n++) {
          sums[n] += dot(y, queryTile[n * STEP + s]);
        }
      }
    }
    for (var n = 0u; n < QUERIES; n++) {
      tileScores[n * 64u + lane] = sums[n];
    }
    workgroupBarrier();
    if (keeps) {
      for (var i = 0u; i < min(64u, end - start); i++) {
        let score = tileScores[lane * 64u + i];
        let row = i32(sizes.first + start + i);
        if (score > scores[sizes.k - 1u] && comesAfter(score, row, query)) {
          insert(score, row);
        }
      }
    }
  }
  if (keeps) {
    storeList(query, slice);
  }
}

// Joins the slices to what the blocks before have given.
@compute @workgroup_size(64) fn merge(group: Group, @builtin(local_invocation_index) lane: u32) {
  let query = groupOf(group) * 64u + lane;
  if (query >= sizes.queries) {
    return;
  }
  for (var slot = 0u; slot < sizes.k; slot++) {
    scores[slot] = bestScores[query * sizes.k + slot];
    rows[slot] = bestRows[query * sizes.k + slot];
  }
  for (var slice = 0u; slice < sizes.slices; slice++) {
    let list = (query * sizes.slices + slice) * sizes.k;
    for (var slot = 0u; slot < sizes.k; slot++) {
      let score = sliceScores[list + slot];
      if (score <= scores[sizes.k - 1u]) {
        break;
      }
      insert(score, sliceRows[list + slot]);
    }
  }
  for (var slot = 0u; slot < sizes.k; slot++) {
    bestScores[query * sizes.k + slot] = scores[slot];
    bestRows[query * sizes.k + slot] = rows[slot];
  }
}
