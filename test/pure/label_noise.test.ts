/** Label noise: as many wrong labels as requested, never the right one by chance, the same for the same seed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withLabelNoise } from '../../src/romo/method/pseudo_labels.ts';

const test = suite('label noise');
const labels = Int32Array.from({ length: 5000 }, (_, i) => i % 10);
const clean = { images: labels, clouds: labels };
const options = { clusters: 10, seed: 3 };

test('the share that is asked for, in each modality by itself', () => {
  for (const share of [0, 0.4, 1]) {
    const { images, clouds } = withLabelNoise(clean, share, options);
    for (const noisy of [images, clouds]) {
      const wrong = noisy.filter((label, i) => label !== labels[i]).length / labels.length;
      assert.ok(Math.abs(wrong - share) < 0.03, `${wrong} of ${share}`);
      assert.ok(noisy.every((label) => label >= 0 && label < 10));
    }
    if (share > 0) assert.not.equal(images, clouds);
  }
});

test('the same seed gives the same labels, and the given ones stay as they are', () => {
  const before = labels.slice();
  assert.equal(withLabelNoise(clean, 0.3, options), withLabelNoise(clean, 0.3, options));
  assert.not.equal(withLabelNoise(clean, 0.3, options), withLabelNoise(clean, 0.3, { ...options, seed: 4 }));
  assert.equal(labels, before);
});

test.run();
