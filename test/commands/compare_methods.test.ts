/** All methods of a comparison, for two epochs at `tiny`: they train, are measured alike, and read labels only where they say so. */
import * as assert from 'uvu/assert';
import { compareMethod, type Outcome, type WarmUps } from '../../src/compare/comparison.ts';
import { METHODS, methodsNamed } from '../../src/compare/list.ts';
import type { LabelFreeMethod, Setting } from '../../src/compare/method.ts';
import { summaryOf, withoutLabels } from '../../src/compare/summary.ts';
import { decodeWarmUp, encodeWarmUp, warmUpKey } from '../../src/compare/warm_up.ts';
import { openShapes } from '../../src/data/shapes/open_shapes.ts';
import type { DataSet, Labels } from '../../src/data/types.ts';
import { type Config, PRESETS, withRecipe } from '../../src/romo/config.ts';
import { run } from '../../src/romo/run/run.ts';
import { Random } from '../../src/tensor/random.ts';
import { gpuSuite } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('compared methods');

function tiny(): Config {
  const small = { ...structuredClone(PRESETS.tiny), train: 20, test: 20, batch: 10, clusters: 4 };
  Object.assign(small.ssm, { epochs: 1 });
  // Labels of the heads: k-means with 40 starts in each view would take most of the time.
  Object.assign(small.rdl, { epochs: 1, voteNeighbours: 3, pseudoLabels: 'heads' });
  return small;
}

/** Warm-ups as bytes, as the command keeps them. */
function warmUpsInMemory(): WarmUps {
  const kept = new Map<string, Uint8Array>();
  return {
    async get(config) {
      const bytes = kept.get(warmUpKey(config));
      return bytes ? decodeWarmUp(bytes, 'memory', config) : null;
    },
    async put(config, warmUp) {
      kept.set(warmUpKey(config), encodeWarmUp(config, warmUp));
    },
  };
}

const withLabels = (data: DataSet, labels: Labels | null): DataSet => ({
  ...data,
  train: { pairs: data.train.pairs, labels },
});

/** Data whose training labels cannot be looked at. */
const sealed = (data: DataSet): DataSet => ({
  ...data,
  train: {
    pairs: data.train.pairs,
    get labels(): Labels {
      throw new Error('a method looked at the labels');
    },
  },
});

const outcomes = new Map<string, Outcome>();

test('every method trains and is measured; the label-free ones without labels within reach', async () => {
  const config = tiny();
  const data = await openShapes(config);
  const warmUps = warmUpsInMemory();
  const start = process.cpuUsage();
  for (const method of METHODS) {
    const given = method.readsLabels ? data : sealed(data);
    const before = gpu().memory().liveBytes;
    const outcome = await compareMethod(gpu(), method, given, config, { hooks: {}, warmUps });
    outcomes.set(method.name, outcome);
    assert.is(gpu().memory().liveBytes, before, `${method.name} keeps memory`);
    assert.not(outcome.failure, method.name);
    assert.is(outcome.readsLabels, method.readsLabels === true);
    assert.ok(outcome.figures);
    const { meanCosine, ...shares } = outcome.figures;
    for (const [name, value] of Object.entries(shares)) {
      assert.ok(value !== null && value >= 0 && value <= 1, `${method.name}: ${name} is ${value}`);
    }
    assert.ok(Math.abs(meanCosine.images) <= 1 && Math.abs(meanCosine.points) <= 1);
  }
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 60e6, `${(user + system) / 1e6} s of CPU`);
});

test('there are fourteen label-free methods to compare with, and one that reads labels', () => {
  assert.ok(METHODS.filter(({ kind }) => ['linear', 'deep', 'clustering', 'noise'].includes(kind)).length >= 14);
  assert.equal(
    METHODS.filter(({ readsLabels }) => readsLabels).map(({ name }) => name),
    ['supervised-oracle'],
  );
  assert.is(new Set(METHODS.map(({ name }) => name)).size, METHODS.length);
});

test("RoMo and the baselines have train.js's figures", async () => {
  const config = withRecipe(tiny(), 'paper');
  const { models, result } = await run(gpu(), await openShapes(config), config);
  for (const [name, stage] of [
    ['romo-paper', 'rdl'],
    ['untrained', 'untrained'],
    ['kmeans-raw', 'kmeans'],
  ] as const) {
    const { imageToPoints, pointsToImage, clusterAccuracy } = result.stages[stage];
    const figures = outcomes.get(name)?.figures;
    assert.equal(
      [figures?.imageToPoints, figures?.pointsToImage, figures?.clusterAccuracy],
      [imageToPoints, pointsToImage, clusterAccuracy],
      name,
    );
  }
  for (const model of Object.values(models)) model.dispose();
});

test('a label-free method gives the same bits with true, shuffled and absent labels; the oracle does not', async () => {
  const config = tiny();
  const data = await openShapes(config);
  const { labels } = data.train;
  const order = new Random(1, 'shuffle').permutation(labels.values.length);
  const shuffled = { ...labels, values: Int32Array.from(order, (index) => labels.values[index]) };
  const figuresOf = async (name: string, given: Labels | null) => {
    const [method] = methodsNamed(name);
    const shared = { hooks: {}, warmUps: warmUpsInMemory() };
    return (await compareMethod(gpu(), method, withLabels(data, given), config, shared)).figures;
  };
  // The figures of the first test are those without labels within reach.
  assert.equal(await figuresOf('romo-robust', shuffled), outcomes.get('romo-robust')?.figures);
  assert.equal(await figuresOf('deep-cluster', null), outcomes.get('deep-cluster')?.figures);
  assert.not.equal(await figuresOf('supervised-oracle', shuffled), outcomes.get('supervised-oracle')?.figures);
  await figuresOf('supervised-oracle', null).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /supervised-oracle reads labels, and .* has none/),
  );
});

test('data without labels: the partner is the hit', async () => {
  const config = tiny();
  const data = await openShapes(config);
  const unlabelled = { ...withLabels(data, null), test: { pairs: data.test.pairs, labels: null } };
  const [untrained] = methodsNamed('untrained');
  const shared = { hooks: {}, warmUps: warmUpsInMemory() };
  const outcome = await compareMethod(gpu(), untrained, unlabelled, config, shared);
  assert.is(outcome.figures?.clusterAccuracy, null);
  const own = outcomes.get('untrained')?.figures?.imageToPointsRecallAt1 ?? Number.NaN;
  assert.ok((outcome.figures?.imageToPointsRecallAt1 ?? 1) <= own);
  assert.match(withoutLabels(summaryOf([untrained], [outcome])) ?? '', /only a query's own partner is a hit/);
  assert.is(withoutLabels(summaryOf(METHODS, [...outcomes.values()])), null);
});

test('what a method gets has no labels by its types', () => {
  const read = (setting: Setting) => {
    // @ts-expect-error the data of a method are pairs
    const { labels } = setting.data;
    return labels;
  };
  assert.type(read, 'function');
});

const made: Omit<LabelFreeMethod, 'train'> = { name: 'made', kind: 'deep', what: '', source: '', uses: '' };

test('a method that diverges or collapses is an outcome, and the next one trains', async () => {
  const config = tiny();
  const data = await openShapes(config);
  const shared = { hooks: {}, warmUps: warmUpsInMemory() };
  const [ntXent] = methodsNamed('nt-xent');
  const wild = { ...config, ssm: { ...config.ssm, learningRate: 1e38 } };
  const failed = await compareMethod(gpu(), ntXent, data, wild, shared);
  assert.is(failed.figures, null);
  assert.match(failed.failure ?? '', /not finite|NaN|Infinity|nfinity/);
  const alike: LabelFreeMethod = {
    ...made,
    train: async () => ({
      embed: async ({ length }) => ({
        images: new Float32Array(2 * length).fill(1),
        clouds: new Float32Array(2 * length).fill(1),
        dimension: 2,
      }),
    }),
  };
  const collapsed = await compareMethod(gpu(), alike, data, config, shared);
  assert.match(collapsed.notes.join(), /collapsed: images are embedded alike.*collapsed: clouds/);
  assert.ok(collapsed.figures);
  const again = await compareMethod(gpu(), ntXent, data, config, shared);
  assert.equal(again.figures, outcomes.get('nt-xent')?.figures);
});

test("a fault that is not the method's ends the comparison", async () => {
  const broken: LabelFreeMethod = {
    ...made,
    train: async () => {
      throw new TypeError('a bug');
    },
  };
  const config = tiny();
  await compareMethod(gpu(), broken, await openShapes(config), config, { hooks: {}, warmUps: warmUpsInMemory() }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, 'a bug'),
  );
});

test.run();
