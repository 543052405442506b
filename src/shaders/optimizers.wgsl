// One step of an optimiser, in place, in PyTorch's form. The learning rate is read from a tensor, so that a recorded
// step can change it.

// One parameter per invocation, or four where their number is a multiple of 4: `kernelPair` replaces this type.
alias Value = f32;
alias Values = u32; // a count of Value: `kernelPair` divides it by 4

struct Sizes {
  count: Values,
  momentum: f32, // AdamW: beta1
  squareMomentum: f32, // beta2
  epsilon: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<storage, read_write> parameter: array<Value>;
@group(0) @binding(1) var<storage, read_write> velocity: array<Value>; // AdamW: moving average of grad
@group(0) @binding(2) var<storage, read_write> squares: array<Value>; // moving average of grad^2
@group(0) @binding(3) var<storage, read> grad: array<Value>;
@group(0) @binding(4) var<storage, read> rate: array<f32>;
@group(0) @binding(5) var<storage, read_write> powers: array<f32>; // [2]: beta1^t, beta2^t
@group(0) @binding(6) var<uniform> sizes: Sizes;

@compute @workgroup_size(64) fn sgd(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    let v = sizes.momentum * velocity[i] + grad[i] + sizes.weightDecay * parameter[i];
    velocity[i] = v;
    parameter[i] -= rate[0] * v;
  }
}

// Both averages start at 0; divided by 1 - beta^t they are as if they did not.
@compute @workgroup_size(64) fn adamw(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    let m = mix(grad[i], velocity[i], sizes.momentum);
    let v = mix(grad[i] * grad[i], squares[i], sizes.squareMomentum);
    velocity[i] = m;
    squares[i] = v;
    let deviation = sqrt(v / (1.0 - powers[1])) + sizes.epsilon;
    parameter[i] -= rate[0] * (m / (1.0 - powers[0]) / deviation + sizes.weightDecay * parameter[i]);
  }
}

// Before the parameters of a step: t <- t + 1.
@compute @workgroup_size(1) fn countStep() {
  powers[0] *= sizes.momentum;
  powers[1] *= sizes.squareMomentum;
}
