/** Code that must not compile. `npm run check` fails if one of these lines compiles; here the file is only loaded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { differentiable, noGradient } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

const test = suite('types');
const forward = ({ x }: { x: Tensor; y: Tensor }) => ({ output: x, saved: {} });

test('an op that leaves a gradient out does not compile; one that says why does', () => {
  const forgets = differentiable<{ x: Tensor; y: Tensor }, undefined, Record<string, never>>({
    name: 'forgets',
    forward,
    // @ts-expect-error y has no entry
    backward: (grad) => ({ x: () => grad }),
  });
  const says = differentiable<{ x: Tensor; y: Tensor }, undefined, Record<string, never>>({
    name: 'says',
    forward,
    backward: (grad) => ({ x: () => grad, y: noGradient('y is a constant') }),
  });
  assert.type(forgets, 'function');
  assert.type(says, 'function');
});

test.run();
