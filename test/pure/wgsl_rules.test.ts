/** All kernels keep the rules of wgsl_rules.ts, and each rule notices a kernel that breaks it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, program } from '../../src/tensor/kernel.ts';
import { allShaders } from '../support/shaders.ts';
import { complaints, RULES } from '../support/wgsl_rules.ts';

const test = suite('wgsl rules');

const ENTRY = '@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32)';
const DATA =
  '@group(0) @binding(0) var<storage, read_write> data: array<u32>;\nvar<workgroup> shared_: array<u32, 64>;\n';

/** Kernels that break a rule, by its name, and what the complaint mentions. */
const OFFENDERS: Readonly<Record<string, readonly (readonly [source: string, mentions: string])[]>> = {
  'no override in the type of an array': [
    ['override LENGTH: u32 = 64;\nvar<workgroup> tile: array<f32, LENGTH>;', 'array<f32, LENGTH>'],
    ['override N: u32 = 64;\nfn f() { var list: array<vec4<f32>, 2u * N>; }', '2u * N'],
  ],
  'no pointer to storage or workgroup memory as a parameter': [
    ['fn f(first: ptr<function, f32>, second: ptr<workgroup, array<f32, 64>>) {}', 'ptr<workgroup'],
    ['fn f(data: ptr<storage, array<f32>, read>) {}', 'ptr<storage'],
  ],
  'a function with a value ends with return': [
    ['fn f(n: u32) -> u32 { for (var i = 0u; ; i++) { if (i > n) { return i; } } }', 'f: the last statement'],
    ['fn g(n: u32) -> u32 { if (n > 0u) { return 1u; } else { return 2u; } }', 'g: the last statement'],
  ],
  'workgroups have one dimension, of a literal size': [
    ['@compute @workgroup_size(8, 8) fn main() {}', '(8, 8)'],
    ['override SIZE: u32 = 64;\n@compute @workgroup_size(SIZE) fn main() {}', '(SIZE)'],
  ],
  'no name of a builtin function for anything else': [
    ['fn f() { var distance = 0.0; }', 'var distance'],
    ['fn f(step: f32) {}', 'step:'],
    ['fn transpose() {}', 'fn transpose'],
    ['fn f() { for (var sign: i32 = 0; sign < 2; sign++) {} }', 'var sign'],
  ],
  'barriers only in loops whose bounds are uniform': [
    [`${ENTRY} { for (var i = lane; i < 64u; i++) { workgroupBarrier(); } }`, 'depends on'],
    [`${DATA}${ENTRY} { let end = data[0]; for (var i = 0u; i < end; i++) { workgroupBarrier(); } }`, 'end'],
    [`${ENTRY} { var end = 4u; if (lane > 3u) { end = 5u; } while (end > 0u) { end--; storageBarrier(); } }`, 'end'],
    [`${ENTRY} { loop { if (lane > 3u) { break; } workgroupBarrier(); } }`, 'lane > 3u'],
    [`fn wait() { workgroupBarrier(); }\n${ENTRY} { for (var i = lane; i < 4u; i++) { wait(); } }`, 'lane'],
    [
      `${DATA}fn size() -> u32 { return data[1]; }\n${ENTRY} { for (var i = 0u; i < size(); i++) { workgroupBarrier(); } }`,
      'size',
    ],
  ],
};

const KEPT = `
override SCALE: u32 = 2;
struct Sizes { rows: u32, chunk: u32 }
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<uniform> sizes: Sizes;
struct Group { @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u }
var<workgroup> tile: array<u32, 64>;
fn groupOf(group: Group) -> u32 { return group.id.y * group.count.x + group.id.x; }
@compute @workgroup_size(64) fn main(group: Group, @builtin(local_invocation_index) lane: u32) {
  let first = groupOf(group) * sizes.chunk; // not distance
  for (var row = first; row < min(sizes.rows, first + sizes.chunk); row += SCALE) {
    tile[lane] = data[row];
    workgroupBarrier();
    for (var i = lane; i < 64u; i++) { data[i] += tile[i]; }
    if (sizes.rows == 3u) { break; }
  }
}`;

test('each rule notices the kernels that break it, and no other rule does', () => {
  assert.equal(
    Object.keys(OFFENDERS),
    RULES.map(({ name }) => name),
  );
  for (const [name, kernels] of Object.entries(OFFENDERS)) {
    for (const [source, mentions] of kernels) {
      const [found, ...more] = complaints(source);
      assert.ok(found?.startsWith(`${name}: `) && found.includes(mentions), `${source}\n${found}`);
      assert.equal(more, [], source);
    }
  }
});

test('a kernel that keeps the rules', () => {
  assert.equal(complaints(KEPT), []);
});

test('every kernel keeps the rules', () => {
  const files = Object.entries(allShaders());
  assert.ok(files.length >= 25, `${files.length} files`);
  assert.equal(
    files.flatMap(([path, source]) => complaints(codeOf(program(path, source))).map((what) => `${path}: ${what}`)),
    [],
  );
});

test.run();
