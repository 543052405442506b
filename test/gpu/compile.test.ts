/** Every kernel of every backend compiles: on Tint in Node, on naga in Deno. identity.test.ts does the same in a browser. */
import * as assert from 'uvu/assert';
import { compileAll } from '../support/compile.ts';
import { gpuSuite } from '../support/gpu.ts';
import { allShaders } from '../support/shaders.ts';

const { test, gpu } = gpuSuite('compile');

test('every kernel compiles', async () => {
  const shaders = allShaders();
  const { count, errors, left } = await compileAll(gpu().device, shaders);
  assert.equal(errors, []);
  assert.ok(count > 150, `${count} kernels`);
  const needSubgroups = Object.keys(shaders).filter((path) => path.endsWith('_subgroups.wgsl'));
  assert.equal(left, gpu().device.features.has('subgroups' as GPUFeatureName) ? [] : needSubgroups);
  console.log(`${count} kernels${left.length > 0 ? `; without subgroups on this device: ${left.join(', ')}` : ''}`);
});

test('a kernel that does not compile is noticed', async () => {
  const shaders = { 'broken.wgsl': '@compute @workgroup_size(64) fn main() { let a: f32 = 1u; }' };
  assert.equal((await compileAll(gpu().device, shaders)).errors.length, 1);
});

test.run();
