// Counter-based random numbers: Threefry-2x32-20 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
// Element i is word i % 2 of the block with counter (i / 2, 0): no state, any element at any time. tensor/random.ts
// draws the same uniform numbers on the CPU.

struct Sizes {
  count: u32,
  first: u32, // number of the first element, where `out` is a part of a tensor
  key0: u32,
  key1: u32,
  low: f32, // uniform: the range; normalNumbers: mean and standard deviation
  high: f32,
}

@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> sizes: Sizes;

fn mixed(state: vec2u, turn: u32) -> vec2u {
  let sum = state.x + state.y;
  return vec2u(sum, ((state.y << turn) | (state.y >> (32u - turn))) ^ sum);
}

fn fourRounds(state: vec2u, turns: vec4u) -> vec2u {
  return mixed(mixed(mixed(mixed(state, turns.x), turns.y), turns.z), turns.w);
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let third = key.x ^ key.y ^ 0x1bd11bdau;
  let a = vec4u(13u, 15u, 26u, 6u);
  let b = vec4u(17u, 29u, 16u, 24u);
  var state = counter + key;
  state = fourRounds(state, a) + vec2u(key.y, third + 1u);
  state = fourRounds(state, b) + vec2u(third, key.x + 2u);
  state = fourRounds(state, a) + vec2u(key.x, key.y + 3u);
  state = fourRounds(state, b) + vec2u(key.y, third + 4u);
  return fourRounds(state, a) + vec2u(third, key.x + 5u);
}

// The upper 24 bits: every such number in [0, 1) is exact in f32.
fn unit(bits: u32) -> f32 {
  return f32(bits >> 8u) * (1.0 / 16777216.0);
}

@compute @workgroup_size(64) fn uniformNumbers(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    let element = sizes.first + i;
    let block = threefry(vec2u(sizes.key0, sizes.key1), vec2u(element / 2u, 0u));
    out[i] = sizes.low + (sizes.high - sizes.low) * unit(block[element % 2u]);
  }
}

// Box and Muller 1958: element i uses a block of its own.
@compute @workgroup_size(64) fn normalNumbers(launch: Launch) {
  let i = indexOf(launch);
  if (i < sizes.count) {
    let block = threefry(vec2u(sizes.key0, sizes.key1), vec2u(sizes.first + i, 1u));
    let radius = sqrt(-2.0 * log(1.0 - unit(block.x)));
    out[i] = sizes.low + sizes.high * radius * cos(6.28318530718 * unit(block.y));
  }
}
