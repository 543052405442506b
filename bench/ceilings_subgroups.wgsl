// One load, broadcast to the lanes of a subgroup in turn: how matmul and conv2d share loads on a software adapter.
enable subgroups;

@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> scalars: array<f32>;

override STEPS: u32 = 1024;

@compute @workgroup_size(64)
fn broadcast(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = 0u; i < STEPS; i++) {
    let value = scalars[(id.x + 64u * i) & 4095u];
    sum += vec4f(
      subgroupBroadcast(value, 0u), subgroupBroadcast(value, 1u),
      subgroupBroadcast(value, 2u), subgroupBroadcast(value, 3u),
    );
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(64)
fn shuffle(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f(f32(id.x));
  for (var i = 0u; i < STEPS; i++) {
    let lane = i & 3u;
    sum += vec4f(
      subgroupShuffle(sum.w, lane), subgroupShuffle(sum.x, lane),
      subgroupShuffle(sum.y, lane), subgroupShuffle(sum.z, lane),
    );
    sum *= 0.25;
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}
