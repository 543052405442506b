/** The loss of the warm-up's first step, from its parts: the float64 references on the embeddings of the same batch. */
import * as assert from 'uvu/assert';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import { type Config, PRESETS } from '../../src/romo/config.ts';
import { Feeder } from '../../src/romo/method/feeder.ts';
import { SsmModel, trainSsm } from '../../src/romo/method/ssm.ts';
import type { StepReport } from '../../src/romo/method/stage.ts';
import { trainingData } from '../../src/romo/run/run.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import * as reference from '../reference/contrastive.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('warm-up');

const LEFT = 'only the parts that are in the configuration are in the loss';

for (const [within, withinClouds] of [
  [0, 0],
  [0.5, 0],
  [0, 0.7],
  [0.5, 0.7],
]) {
  test(`weights within the images ${within}, within the clouds ${withinClouds}`, async () => {
    const config: Config = { ...structuredClone(PRESETS.tiny), train: 8, test: 8, batch: 8, clusters: 3 };
    Object.assign(config.ssm, { epochs: 1, within, withinClouds });
    const data = trainingData(await openShapes(config));
    const reports: StepReport[] = [];
    (await trainSsm(gpu(), data, config, { onStep: (report) => reports.push(report) })).dispose();

    const { encoders } = new SsmModel(gpu(), config, 1); // with the same initial weights
    const feeder = new Feeder(gpu(), data, config, 'ssm', { images: true, clouds: true });
    const [indices] = feeder.batches(0);
    await feeder.load(0, indices, null);
    const rows = async (x: Tensor) => [...(await x.readFloats())];
    const [images, clouds, imagesAgain, cloudsAgain] = [
      await rows(encoders.embedImages(feeder.images)),
      await rows(encoders.embedClouds(feeder.clouds)),
      await rows(encoders.embedImages(feeder.imagesAgain as Tensor)),
      await rows(encoders.embedClouds(feeder.cloudsAgain as Tensor)),
    ];
    const between = (a: number[], b: number[]) =>
      reference.contrastive([...a, ...b], encoders.dimension, config.ssm.tau);
    const partners = withinClouds ? clouds.map((value, i) => (value + cloudsAgain[i]) / 2) : clouds;
    const [{ loss, supervision, invariance }] = reports;
    const { lambda } = config.ssm;
    const close = (found: number, expected: number, what: string) =>
      assert.ok(Math.abs(found - expected) <= 1e-4 * Math.abs(expected), `${what}: ${found}, not ${expected}`);
    close(invariance, between(images, partners), 'across');
    const ofImages = within * between(images, imagesAgain);
    const ofClouds = withinClouds * between(clouds, cloudsAgain);
    close(loss, lambda * supervision + (1 - lambda) * invariance + ofImages + ofClouds, LEFT);
    feeder.dispose();
  });
}

test.run();
