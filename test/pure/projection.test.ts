/** The map's axes: the two directions of largest variance, stable from epoch to epoch. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../../src/tensor/random.ts';
import { project } from '../../web/train/projection.ts';

const test = suite('projection');

/** Rows with spreads 5, 2 and 0.1 along three of five axes. */
function rows(): Float32Array {
  const random = new Random(1, 'rows');
  return Float32Array.from({ length: 200 * 5 }, (_, i) => random.uniform(-1, 1) * [0.1, 5, 0, 2, 0][i % 5] + 3);
}

test('finds the axes of most spread, at right angles', () => {
  const { positions, axes } = project(rows(), 5, null);
  assert.ok(Math.abs(axes[0][1]) > 0.99 && Math.abs(axes[1][3]) > 0.99, `${axes}`);
  assert.ok(Math.abs(axes[0].reduce((sum, value, c) => sum + value * axes[1][c], 0)) < 1e-9);
  assert.is(positions.length, 400);
  assert.ok(positions.every((value) => Math.abs(value) <= 1));
});

test('starts from the axes before: directions do not flip', () => {
  const { axes } = project(rows(), 5, null);
  const flipped = axes.map((axis) => axis.map((value) => -value)) as unknown as typeof axes;
  const again = project(rows(), 5, flipped).axes;
  again.forEach((axis, i) => {
    for (const [c, value] of axis.entries()) assert.ok(Math.abs(value + axes[i][c]) < 1e-3);
  });
});

test.run();
