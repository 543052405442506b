// Loads: each invocation walks over a table that stays in the caches and sums the values.

@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> scalars: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<vec4f>;

override STEPS: u32 = 1024;
const MASK = 1023u;
var<workgroup> tile: array<vec4f, 256>;

// Neighbouring invocations load neighbouring elements.
@compute @workgroup_size(64)
fn storageScalar(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = 0u; i < STEPS; i++) {
    let at = id.x + 256u * i;
    sum += vec4f(scalars[at & 4095u], scalars[(at + 64u) & 4095u], scalars[(at + 128u) & 4095u], scalars[(at + 192u) & 4095u]);
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(64)
fn storageVec4(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = 0u; i < STEPS; i++) {
    sum += vectors[(id.x + 64u * i) & MASK];
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}

// All invocations load the same element, as kernels do with a row of a matrix.
@compute @workgroup_size(64)
fn storageSame(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = 0u; i < STEPS; i++) {
    sum += vectors[i & MASK];
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(64)
fn workgroupVec4(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = lane; i < 256u; i += 64u) {
    tile[i] = vectors[i];
  }
  workgroupBarrier();
  var sum = vec4f();
  for (var i = 0u; i < STEPS; i++) {
    sum += tile[(lane + 64u * i) & 255u];
  }
  out[id.x] = sum.x + sum.y + sum.z + sum.w;
}
