// Arithmetic alone: chains of fused multiply-adds in registers, without loads. 2 operations per vector lane and step.
// Each iteration takes four steps, so that the loop's own cost does not count.

@group(0) @binding(0) var<storage, read_write> out: array<f32>;

override STEPS: u32 = 1024;

@compute @workgroup_size(64)
fn fmaScalar(@builtin(global_invocation_id) id: vec3u) {
  let a = 0.999 + f32(id.x & 7u) * 1e-6;
  var x0 = f32(id.x);
  var x1 = x0 + 1.0;
  var x2 = x0 + 2.0;
  var x3 = x0 + 3.0;
  for (var i = 0u; i < STEPS; i += 4u) {
    x0 = fma(x0, a, 0.5);
    x1 = fma(x1, a, 0.5);
    x2 = fma(x2, a, 0.5);
    x3 = fma(x3, a, 0.5);
    x0 = fma(x0, a, 0.5);
    x1 = fma(x1, a, 0.5);
    x2 = fma(x2, a, 0.5);
    x3 = fma(x3, a, 0.5);
    x0 = fma(x0, a, 0.5);
    x1 = fma(x1, a, 0.5);
    x2 = fma(x2, a, 0.5);
    x3 = fma(x3, a, 0.5);
    x0 = fma(x0, a, 0.5);
    x1 = fma(x1, a, 0.5);
    x2 = fma(x2, a, 0.5);
    x3 = fma(x3, a, 0.5);
  }
  out[id.x] = x0 + x1 + x2 + x3;
}

@compute @workgroup_size(64)
fn fmaVec4(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(0.999 + f32(id.x & 7u) * 1e-6);
  let b = vec4f(0.5);
  var x0 = vec4f(f32(id.x));
  var x1 = x0 + 1.0;
  var x2 = x0 + 2.0;
  var x3 = x0 + 3.0;
  for (var i = 0u; i < STEPS; i += 4u) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
  }
  let x = x0 + x1 + x2 + x3;
  out[id.x] = x.x + x.y + x.z + x.w;
}

// The same as a product and a sum, which a compiler may or may not fuse.
@compute @workgroup_size(64)
fn multiplyAddVec4(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(0.999 + f32(id.x & 7u) * 1e-6);
  let b = vec4f(0.5);
  var x0 = vec4f(f32(id.x));
  var x1 = x0 + 1.0;
  var x2 = x0 + 2.0;
  var x3 = x0 + 3.0;
  for (var i = 0u; i < STEPS; i += 4u) {
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
  }
  let x = x0 + x1 + x2 + x3;
  out[id.x] = x.x + x.y + x.z + x.w;
}
