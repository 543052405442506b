/**
 * Compares targets, augmentations and starts of `rdl` on the built-in shapes: the basis for the defaults. Its seeds
 * draw other objects, for training and testing, than the seed of the reported runs.
 *
 *   node bench/defaults.mjs [FOLDER]    trains the runs missing from FOLDER (runs/defaults), then prints the table
 *
 * Needs `npm run build`. A run takes two to four minutes on a software adapter, all of them about an hour.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const seeds = [11, 12, 13];
const common = '--data shapes --preset small --train 500 --test 200 --epochs-ssm 8 --quiet --overwrite'.split(' ');

/** Each arm changes one choice. Without `rdl`, only the warm-up matters, so `rdl` trains a single epoch. */
const arms = [
  { name: 'joint, strong, rdl from warm', options: ['--epochs-rdl', '4'], rdl: true },
  { name: 'rdl from fresh', options: ['--epochs-rdl', '4', '--rdl-from', 'fresh'], rdl: true },
  { name: 'target memory (hard)', options: ['--epochs-rdl', '1', '--ssm-target', 'memory'] },
  { name: 'target soft', options: ['--epochs-rdl', '1', '--ssm-target', 'soft'] },
  { name: 'target balanced', options: ['--epochs-rdl', '1', '--ssm-target', 'balanced'] },
  { name: 'augmentation mild', options: ['--epochs-rdl', '1', '--augment', 'mild'] },
];

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = process.argv[2] ?? 'runs/defaults';
const runFolder = (arm, seed) => join(folder, `${arm.name.replaceAll(/[^a-z]+/g, '-')}-${seed}`);

for (const seed of seeds) {
  for (const arm of arms) {
    const out = runFolder(arm, seed);
    if (existsSync(join(out, 'result.json'))) continue;
    console.error(`${arm.name}, seed ${seed} -> ${out}`);
    const words = ['dist/train.js', ...common, ...arm.options, '--seed', String(seed), '--out', out];
    const { status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`train.js exited with code ${status}`);
  }
}

/** Mean and range over the seeds. */
function summary(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${mean.toFixed(3)} (${Math.min(...values).toFixed(3)}-${Math.max(...values).toFixed(3)})`;
}

/** Fraction of images or clouds in the largest cluster, at the start of the last epoch of `ssm`. */
function largestCluster(out) {
  const entries = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n').map(JSON.parse);
  const { images, points } = entries.findLast((entry) => entry.clusterSizes).clusterSizes;
  const share = (sizes) => Math.max(...sizes) / sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(share(images), share(points));
}

console.log('| | ssm: mAP image -> 3D | ssm: 3D -> image | rdl: image -> 3D | rdl: 3D -> image | largest cluster |');
console.log('|---|---|---|---|---|---|');
for (const arm of arms) {
  const outs = seeds.map((seed) => runFolder(arm, seed));
  const stages = outs.map((out) => JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')).stages);
  const column = (stage, figure) => summary(stages.map((result) => result[stage][figure]));
  const rdl = arm.rdl ? [column('rdl', 'imageToPoints'), column('rdl', 'pointsToImage')] : ['-', '-'];
  const cells = [column('ssm', 'imageToPoints'), column('ssm', 'pointsToImage'), ...rdl];
  console.log(`| ${arm.name} | ${cells.join(' | ')} | ${summary(outs.map(largestCluster))} |`);
}
