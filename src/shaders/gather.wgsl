// Copies between tensors by row and by block.

// One number per invocation, or four side by side where all widths divide by 4: `kernelPair` exchanges this line.
alias Value = f32;

struct Sizes {
  rows: u32, // rows (or outer blocks) of the smaller tensor
  width: u32, // its Values per row
  stride: u32, // Values per row of the larger tensor
  offset: u32, // where in that row the smaller one begins
  sources: u32, // rows of the gathered tensor
}

@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> out: array<Value>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

fn indexOf(group: vec3u, groups: vec3u, local: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

// out[row] = x[indices[row]]
@compute @workgroup_size(64)
fn gather(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = indexOf(group, groups, local);
  if (i < sizes.rows * sizes.width) {
    out[i] = x[u32(indices[i / sizes.width]) * sizes.width + i % sizes.width];
  }
}

// out[source] = sum of x over the rows whose index is `source`, in order
@compute @workgroup_size(64)
fn scatterAdd(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = indexOf(group, groups, local);
  if (i >= sizes.sources * sizes.width) {
    return;
  }
  let source = i32(i / sizes.width);
  var sum = Value();
  for (var row = 0u; row < sizes.rows; row++) {
    if (indices[row] == source) {
      sum += x[row * sizes.width + i % sizes.width];
    }
  }
  out[i] = sum;
}

// Writes x [rows, width] into a block of out [rows, stride].
@compute @workgroup_size(64)
fn insert(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = indexOf(group, groups, local);
  if (i < sizes.rows * sizes.width) {
    out[i / sizes.width * sizes.stride + sizes.offset + i % sizes.width] = x[i];
  }
}

// Reads a block of x [rows, stride] into out [rows, width].
@compute @workgroup_size(64)
fn extract(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = indexOf(group, groups, local);
  if (i < sizes.rows * sizes.width) {
    out[i] = x[i / sizes.width * sizes.stride + sizes.offset + i % sizes.width];
  }
}
