// out[batch, column, row] = x[batch, row, column]

struct Sizes {
  count: u32,
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn transpose(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= sizes.count) {
    return;
  }
  let row = i % sizes.rows;
  let column = i / sizes.rows % sizes.columns;
  let batch = i / (sizes.rows * sizes.columns);
  out[i] = x[(batch * sizes.rows + row) * sizes.columns + column];
}
