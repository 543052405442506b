// Rows by index: `gather` copies them, `scatterAdd`, its transpose, adds them up.

// One number per invocation, or four side by side where the width is a multiple of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  rows: u32, // of index
  width: Values, // of a row
  sources: u32, // rows of the gathered tensor
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> out: array<Value>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

// out[row] = x[index[row]]
@compute @workgroup_size(64) fn gather(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.rows * sizes.width) {
    out[i] = x[u32(index[i / sizes.width]) * sizes.width + i % sizes.width];
  }
}

// out[source] = sum of x over the rows whose index is `source`, in order
@compute @workgroup_size(64) fn scatterAdd(launch: Launch) {
  let i = indexOf(launch);
  if (i >= sizes.sources * sizes.width) {
    return;
  }
  let source = i32(i / sizes.width);
  var sum = Value();
  for (var row = 0u; row < sizes.rows; row++) {
    if (index[row] == source) {
      sum += x[row * sizes.width + i % sizes.width];
    }
  }
  out[i] = sum;
}
