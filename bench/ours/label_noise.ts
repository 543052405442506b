/**
 * How much 40 % of wrong pseudo labels cost: from one warm-up, `rdl` with the labels that it found and with those of which two in
 * five are made wrong, each modality by itself, for cross entropy, RCLL and self-labelling (`--recipe robust`). Built-in shapes,
 * preset `small`, 500 pairs, 200 held out, 8 + 4 epochs.
 *
 *   npm run bench:noise -- [SEED,...]    default 1,2,3
 *
 * A seed takes about four minutes on a software adapter.
 */
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { figuresOf } from '../../src/romo/figures/figures.ts';
import { pseudoLabels, withLabelNoise } from '../../src/romo/method/pseudo_labels.ts';
import { trainRdl } from '../../src/romo/method/rdl.ts';
import { trainSsm } from '../../src/romo/method/ssm.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { openDevice } from '../../src/tensor/device.ts';

const SHARE = 0.4;
const seeds = (process.argv[2] ?? '1,2,3').split(',').map(Number);
const losses: Record<string, Partial<Config['rdl']>> = {
  'cross entropy': { selfLabels: undefined, loss: 'cross-entropy' },
  RCLL: { selfLabels: undefined, loss: 'rcll' },
  robust: {},
};
const lost: Record<string, number[]> = Object.fromEntries(Object.keys(losses).map((name) => [name, []]));

console.log('| seed | rdl with | labels as found | 40 % wrong | lost |');
console.log('|---|---|---|---|---|');
for (const seed of seeds) {
  const small = structuredClone(PRESETS.small);
  Object.assign(small, { seed, train: 500, test: 200, augment: 'mild' });
  Object.assign(small.ssm, { epochs: 8 });
  Object.assign(small.rdl, { epochs: 4 });
  const config = withRecipe(small, 'robust');
  const gpu = await openDevice();
  const data = await openShapes(config);
  const training = trainingData(data);
  const warm = await trainSsm(gpu, training, config);
  const found = await pseudoLabels(gpu, warm, training, config);
  for (const [name, changed] of Object.entries(losses)) {
    const rdl = { ...config.rdl, ...changed };
    const mean: number[] = [];
    const cells: string[] = [];
    for (const share of [0, SHARE]) {
      const labels = withLabelNoise(found, share, config);
      const model = await trainRdl(gpu, training, { ...config, rdl }, labels, warm);
      const { imageToPoints, pointsToImage } = await figuresOf(gpu, model.encoders, data, config);
      mean.push((imageToPoints + pointsToImage) / 2);
      cells.push(`${imageToPoints.toFixed(3)} / ${pointsToImage.toFixed(3)}`);
      model.dispose();
    }
    lost[name].push(mean[0] - mean[1]);
    console.log(`| ${seed} | ${name} | ${cells.join(' | ')} | ${(mean[0] - mean[1]).toFixed(3)} |`);
  }
  gpu.close();
}
for (const [name, values] of Object.entries(lost)) {
  console.log(`${name} loses ${(values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3)} on average`);
}
