/**
 * What is learned over time: after each epoch the retrieval mAP over the held-out objects, beside the seconds of training so far,
 * without those of measuring. The model and the figures at the end are those of train.js, whose options it takes.
 *
 *   npm run bench:learning -- [OPTIONS OF train.js]
 */
import { readTrainOptions, trainCommand } from '../../src/commands/options.ts';
import { figuresOf } from '../../src/romo/figures/figures.ts';
import { trainStages } from '../../src/romo/method/stages.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import { openDevice } from '../../src/tensor/device.ts';

const { config, openData } = readTrainOptions(trainCommand().parse());
const { data, close } = await openData(config, null);
Object.assign(config, { train: data.train.pairs.length, test: data.test.pairs.length });
const gpu = await openDevice();
console.log(
  `${config.data}, ${config.train} pairs, ${config.test} held out, seed ${config.seed}, ${gpu.adapterName}\n`,
);
console.log('| epoch | seconds | image -> 3D | 3D -> image |');
console.log('|---|---|---|---|');
const begin = performance.now();
let measuring = 0;
await trainStages(gpu, trainingData(data), config, {
  async afterEpoch({ stage, epoch, model }) {
    const start = performance.now();
    const { imageToPoints, pointsToImage } = await figuresOf(gpu, model.encoders, data, config);
    const cells = [imageToPoints, pointsToImage].map((figure) => figure.toFixed(3)).join(' | ');
    console.log(`| ${stage} ${epoch} | ${((start - begin - measuring) / 1000).toFixed(0)} | ${cells} |`);
    measuring += performance.now() - start;
  },
});
gpu.close();
await close();
