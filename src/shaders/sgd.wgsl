// Stochastic gradient descent with momentum and weight decay, in place, PyTorch's form. The learning rate is read from
// a tensor, so that a recorded step can change it.

// One parameter per invocation, or four where their number divides by 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  count: Values,
  momentum: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<storage, read_write> parameter: array<Value>;
@group(0) @binding(1) var<storage, read_write> velocity: array<Value>;
@group(0) @binding(2) var<storage, read> grad: array<Value>;
@group(0) @binding(3) var<storage, read> rate: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64) fn step(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    let v = sizes.momentum * velocity[i] + grad[i] + sizes.weightDecay * parameter[i];
    velocity[i] = v;
    parameter[i] -= rate[0] * v;
  }
}
