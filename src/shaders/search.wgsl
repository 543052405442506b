// The k best rows of a gallery for each query by dot product, best first, of equal scores the lower row first. No matrix of all
// scores: a workgroup keeps the best of its part of the rows, and `merge` joins the parts.

struct Sizes {
  rows: u32, // of this block of the gallery
  queries: u32,
  channels: u32, // a multiple of 4
  k: u32, // at most 64
  parts: u32,
  perPart: u32, // rows, a multiple of 64
  first: u32, // number of the block's first row in the whole gallery
}

@group(0) @binding(0) var<storage, read> gallery4: array<vec4f>; // [rows, channels]
@group(0) @binding(1) var<storage, read> queries4: array<vec4f>; // [queries, channels]
// Only rows that come after these are looked for: the last answers of a round before, of a k over 64.
@group(0) @binding(2) var<storage, read> afterScores: array<f32>; // [queries]
@group(0) @binding(3) var<storage, read> afterRows: array<i32>; // [queries]
@group(0) @binding(4) var<storage, read_write> partScores: array<f32>; // [queries, parts, k]
@group(0) @binding(5) var<storage, read_write> partRows: array<i32>;
@group(0) @binding(6) var<storage, read_write> bestScores: array<f32>; // [queries, k]
@group(0) @binding(7) var<storage, read_write> bestRows: array<i32>;
@group(0) @binding(8) var<uniform> sizes: Sizes;

const LIST = 64u;
const NOTHING = -3.4e38;

const QUERIES = 16u; // per workgroup
const STEP = 4u; // vec4 of each row at a time
const ROW = 5u; // vec4 from row to row of a tile: an odd number, so that lanes meet different banks

var<private> scores: array<f32, 64>;
var<private> rows: array<i32, 64>;

var<workgroup> rowTile: array<vec4f, 320>; // 64 rows of ROW
var<workgroup> queryTile: array<vec4f, 64>; // QUERIES of STEP
var<workgroup> tileScores: array<f32, 1024>; // [QUERIES, 64]

fn clearList() {
  for (var slot = 0u; slot < sizes.k; slot++) {
    scores[slot] = NOTHING;
    rows[slot] = -1;
  }
}

// Puts a row that beats the last one into the sorted list. Rows come in ascending order, so of equal scores the first stays ahead.
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

@compute @workgroup_size(64)
fn scan(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  let part = index % sizes.parts;
  let firstQuery = index / sizes.parts * QUERIES;
  if (firstQuery >= sizes.queries) {
    return;
  }
  let channels4 = sizes.channels / 4u;
  let query = firstQuery + lane; // whose list this lane keeps, one of the first 16
  let keeps = lane < QUERIES && query < sizes.queries;
  let afterScore = afterScores[min(query, sizes.queries - 1u)];
  let afterRow = afterRows[min(query, sizes.queries - 1u)];
  clearList();
  let end = min(sizes.rows, (part + 1u) * sizes.perPart);
  for (var start = part * sizes.perPart; start < end; start += 64u) {
    var sums: array<f32, 16>;
    for (var n = 0u; n < QUERIES; n++) {
      sums[n] = 0.0;
    }
    for (var c = 0u; c < channels4; c += STEP) {
      workgroupBarrier();
      for (var i = lane; i < 64u * STEP; i += 64u) {
        let row = start + i / STEP;
        let at = c + i % STEP;
        let inside = row < sizes.rows && at < channels4;
        rowTile[i / STEP * ROW + i % STEP] = select(vec4f(), gallery4[select(0u, row * channels4 + at, inside)], inside);
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
        if (score > scores[sizes.k - 1u] && (score < afterScore || (score == afterScore && row > afterRow))) {
          insert(score, row);
        }
      }
    }
  }
  if (keeps) {
    for (var slot = 0u; slot < sizes.k; slot++) {
      let to = (query * sizes.parts + part) * sizes.k + slot;
      partScores[to] = scores[slot];
      partRows[to] = rows[slot];
    }
  }
}

// Joins the parts to what the blocks before have given.
@compute @workgroup_size(64)
fn merge(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let query = (group.y * groups.x + group.x) * 64u + lane;
  if (query >= sizes.queries) {
    return;
  }
  for (var slot = 0u; slot < sizes.k; slot++) {
    scores[slot] = bestScores[query * sizes.k + slot];
    rows[slot] = bestRows[query * sizes.k + slot];
  }
  for (var part = 0u; part < sizes.parts; part++) {
    let list = (query * sizes.parts + part) * sizes.k;
    for (var slot = 0u; slot < sizes.k; slot++) {
      let score = partScores[list + slot];
      if (score <= scores[sizes.k - 1u]) {
        break;
      }
      insert(score, partRows[list + slot]);
    }
  }
  for (var slot = 0u; slot < sizes.k; slot++) {
    bestScores[query * sizes.k + slot] = scores[slot];
    bestRows[query * sizes.k + slot] = rows[slot];
  }
}
