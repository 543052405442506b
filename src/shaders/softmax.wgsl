// Softmax and argmax over the classes of each row [rows, classes].

struct Sizes {
  rows: u32,
  classes: u32,
  temperature: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read_write> winners: array<i32>; // the first of equals
@group(0) @binding(3) var<uniform> sizes: Sizes;

fn winnerOf(start: u32) -> u32 {
  var winner = 0u;
  for (var c = 1u; c < sizes.classes; c++) {
    if (x[start + c] > x[start + winner]) {
      winner = c;
    }
  }
  return winner;
}

@compute @workgroup_size(64) fn argmax(launch: Launch) {
  let row = indexOf(launch);
  if (row < sizes.rows) {
    winners[row] = i32(winnerOf(row * sizes.classes));
  }
}

// exp(x / temperature) / sum of it
@compute @workgroup_size(64) fn softmax(launch: Launch) {
  let row = indexOf(launch);
  if (row >= sizes.rows) {
    return;
  }
  let start = row * sizes.classes;
  let top = x[start + winnerOf(start)];
  var total = 0.0;
  for (var c = 0u; c < sizes.classes; c++) {
    let e = exp((x[start + c] - top) / sizes.temperature);
    out[start + c] = e;
    total += e;
  }
  for (var c = 0u; c < sizes.classes; c++) {
    out[start + c] /= total;
  }
}
