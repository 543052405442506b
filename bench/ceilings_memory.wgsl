// Memory: copies arrays that are larger than the caches.

@group(0) @binding(0) var<storage, read_write> target4: array<vec4f>;
@group(0) @binding(1) var<storage, read> source4: array<vec4f>;

@compute @workgroup_size(64)
fn copyVec4(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.x + 64u * groups.x * id.y;
  if (at < arrayLength(&target4)) {
    target4[at] = source4[at];
  }
}
