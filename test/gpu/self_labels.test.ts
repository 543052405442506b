/** Self-labelling: the vote, the confident share and relabelling against their references and against clusters that are known. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { PRESETS } from '../../src/romo/config.ts';
import { namedAfter } from '../../src/romo/method/consensus.ts';
import { modularityOf } from '../../src/romo/method/modularity.ts';
import { confidentOf, relabel, shareOf, vote } from '../../src/romo/method/self_labels.ts';
import { clusterObjects, nearestObjects, neighboursIn } from '../../src/romo/method/views.ts';
import { argmaxRows, pairMeans, scoresOf, unitRows } from '../../src/romo/rows.ts';
import { Random } from '../../src/tensor/random.ts';
import * as reference from '../reference/self_labels.ts';
import { gpuSuite, times } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('self-labels');
const normals = (count: number, ...path: (string | number)[]) => {
  const random = new Random(1, ...path);
  return Float32Array.from({ length: count }, () => random.normal());
};

const voting = (voteNeighbours: number) => ({ seed: 1, rdl: { ...PRESETS.tiny.rdl, voteNeighbours } });

test('nearest objects: as by definition, itself left out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 60 }), fc.constantFrom(3, 8), async (count, dimension) => {
      const rows = normals(count * dimension, 'rows', count, dimension);
      const k = Math.min(5, count - 1);
      const found = await nearestObjects(gpu(), rows, dimension, voting(k));
      assert.equal(
        found.map((others) => [...others]),
        reference.nearest(rows, dimension, k),
      );
    }),
    { numRuns: times(15) },
  );
});

test('nearest objects in blocks: every object has neighbours, of its own block', async () => {
  const found = await nearestObjects(gpu(), normals(100 * 4, 'blocks'), 4, voting(3), 30);
  assert.is(found.length, 100);
  found.forEach((others, row) => {
    assert.is(new Set(others).size, 3);
    assert.not.ok(others.includes(row));
  });
});

test('the vote: as by definition, for any labels and ties', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 30 }),
      fc.integer({ min: 1, max: 6 }),
      (labels, k) => {
        const random = new Random(labels.length, 'vote');
        const neighbours = labels.map(() => Int32Array.from({ length: k }, () => random.integer(labels.length)));
        assert.equal([...vote(Int32Array.from(labels), neighbours, 4)], reference.vote(labels, neighbours));
      },
    ),
  );
});

test('the confident: the share of each cluster with the largest margins, at least one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.double({ min: -1, max: 1, noNaN: true })), { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (objects, share) => {
        const labels = Int32Array.from(objects, ([label]) => label);
        const margins = objects.map(([, margin]) => margin);
        const confident = confidentOf(margins, labels, 5, share);
        for (const cluster of new Set(labels)) {
          const members = [...labels.keys()].filter((row) => labels[row] === cluster);
          const [chosen, others] = [1, 0].map((one) => members.filter((row) => confident[row] === one));
          assert.is(chosen.length, Math.max(1, Math.round(share * members.length)));
          const least = Math.min(...chosen.map((row) => margins[row]));
          assert.ok(others.every((row) => margins[row] <= least));
        }
      },
    ),
  );
});

/** Unit rows in `of` groups around axes, each row with a random part of this size. */
const groups = (count: number, of: number, noise: number, stream: string): Float32Array => {
  const parts = normals(count * 8, stream);
  return unitRows(
    parts.map((part, at) => noise * part + Number(at % 8 === Math.floor(at / 8) % of)),
    8,
  );
};

test('best: clusters the view whose clusters hold, whichever it is', async () => {
  const [clear, vague] = [groups(90, 3, 0.05, 'clear'), groups(90, 3, 2, 'vague')];
  const config = { ...PRESETS.tiny, clusters: 3, clusterBy: 'best' as const };
  for (const [images, clouds, view] of [
    [clear, vague, 'images'],
    [vague, clear, 'clouds'],
  ] as const) {
    const found = await clusterObjects(gpu(), { images, clouds, dimension: 8 }, config, { stream: 'test' });
    assert.is(found.view, view);
    assert.equal(found.rows, clear);
    assert.is(new Set(found.labels).size, 3);
    found.labels.forEach((label, row) => {
      assert.is(label, found.labels[row % 3]);
    });
  }
  const named = await clusterObjects(
    gpu(),
    { images: clear, clouds: vague, dimension: 8 },
    { ...config, clusterBy: 'clouds' },
    { stream: 'test' },
  );
  assert.is(named.view, 'clouds');
});

test('small clusters are joined: the groups as they are, each with its centre', async () => {
  const rows = groups(120, 3, 0.1, 'joined');
  const config = { ...PRESETS.tiny, clusters: 3, clusterBy: 'images' as const, joinedFrom: 4 };
  const embeddings = { images: rows, clouds: rows, dimension: 8 };
  const found = await clusterObjects(gpu(), embeddings, config, { stream: 'test' });
  assert.is(new Set(found.labels).size, 3);
  found.labels.forEach((label, row) => {
    assert.is(label, found.labels[row % 3]);
    const scores = scoresOf(rows.subarray(8 * row, 8 * row + 8), found.centres, 8);
    assert.is(argmaxRows(scores, 3)[0], label);
  });
});

test('small clusters are joined: of two starts the clusters that hold better', async () => {
  const config = { ...PRESETS.tiny, clusters: 4, clusterBy: 'images' as const, joinedFrom: 3 };
  const gains: number[] = [];
  for (let at = 0; at < 8; at++) {
    const rows = groups(150, 6, 0.5, `starts ${at}`);
    const embeddings = { images: rows, clouds: rows, dimension: 8 };
    const neighbours = await nearestObjects(gpu(), rows, 8, config);
    const [one, two] = await Promise.all(
      [1, 2].map((restarts) => clusterObjects(gpu(), embeddings, config, { stream: 'test', restarts })),
    );
    gains.push(modularityOf(two.labels, neighbours, 4) - modularityOf(one.labels, neighbours, 4));
  }
  assert.is(Math.min(...gains), 0);
  assert.ok(Math.max(...gains) > 0.01, `${gains}`);
});

test('neighbours: those of the view that is named, or of both modalities', async () => {
  const [images, clouds] = [normals(40 * 4, 'as images'), normals(40 * 4, 'as clouds')].map((rows) =>
    unitRows(rows, 4),
  );
  const config = voting(3);
  const embeddings = { images, clouds, dimension: 4 };
  const [byImage, byCloud] = [images, clouds].map((rows) => reference.nearest(rows, 4, 3));
  for (const [clusterBy, expected] of [
    ['images', byImage],
    ['clouds', byCloud],
    ['pairs', reference.nearest(pairMeans(images, clouds, 4), 4, 3)],
    ['best', byImage.map((others, row) => [...others, ...byCloud[row]])],
  ] as const) {
    const found = await neighboursIn(gpu(), clusterBy, embeddings, config);
    assert.equal(
      found.map((others) => [...others]),
      expected,
    );
  }
});

test('best: a part of a group that looks like another group in one modality goes by the other', async () => {
  const [count, of] = [160, 4];
  // Rows of group 3 are a part of group 0: the one modality does not tell them apart, the other has them near group 1.
  const rows = (near: number, share: number, stream: string) =>
    unitRows(
      normals(count * 8, stream).map((part, at) => {
        const [group, axis] = [Math.floor(at / 8) % of, at % 8];
        const centre = group < 3 ? Number(axis === group) : share * Number(axis === 3) + Number(axis === near);
        return 0.2 * part + centre;
      }),
      8,
    );
  const [like, unlike] = [rows(0, 0, 'like'), rows(1, 0.8, 'unlike')];
  const config = { ...PRESETS.tiny, clusters: 3, joinedFrom: 4 };
  const groupOf = async (images: Float32Array, clouds: Float32Array, clusterBy: 'best' | 'images') => {
    const embeddings = { images, clouds, dimension: 8 };
    const { labels } = await clusterObjects(gpu(), embeddings, { ...config, clusterBy }, { stream: 'test' });
    const part = Array.from({ length: count / of }, (_, at) => labels[of * at + 3]);
    return [0, 1, 2].map((group) => part.filter((label) => label === labels[group]).length / part.length);
  };
  assert.ok((await groupOf(unlike, like, 'images'))[1] > 0.9);
  for (const [images, clouds] of [
    [unlike, like],
    [like, unlike],
  ]) {
    assert.ok((await groupOf(images, clouds, 'best'))[0] > 0.9);
  }
});

test('the share grows from the first epoch to the last', () => {
  const rdl = { ...PRESETS.tiny.rdl, epochs: 6 };
  assert.equal(
    [0, 5].map((epoch) => shareOf(epoch, rdl)),
    [0.7, 0.95],
  );
  assert.ok(shareOf(2, rdl) < shareOf(3, rdl));
  assert.is(shareOf(0, { ...rdl, epochs: 1 }), 0.7);
});

for (const joinedFrom of [1, 4]) {
  test(`relabelling repairs wrong labels and keeps the numbers of the clusters, joined from ${joinedFrom}`, async () => {
    const [clusters, each, dimension] = [4, 30, 8];
    const count = clusters * each;
    const centres = unitRows(normals(clusters * dimension, 'centres'), dimension);
    const truth = Int32Array.from({ length: count }, (_, row) => row % clusters);
    const noisy = (name: string) => {
      const noise = normals(count * dimension, name);
      const at = (i: number) => truth[Math.floor(i / dimension)] * dimension + (i % dimension);
      return unitRows(
        Float32Array.from(noise, (value, i) => centres[at(i)] + 0.15 * value),
        dimension,
      );
    };
    const embeddings = { images: noisy('images'), clouds: noisy('clouds'), dimension };
    const random = new Random(1, 'wrong');
    const last = truth.map((label) => (random.uniform() < 0.35 ? random.integer(clusters) : label));
    const config = { ...PRESETS.tiny, clusters, joinedFrom, rdl: { ...PRESETS.tiny.rdl, confidentFrom: 0.8 } };
    const { labels } = await relabel(gpu(), embeddings, last, 0, config);
    assert.equal([...labels.images], [...truth]);
    assert.equal(labels.clouds, labels.images);
    assert.is(
      labels.confident.reduce((sum, one) => sum + one, 0),
      clusters * Math.round(0.8 * each),
    );
  });
}

test('small clusters are joined: the consensus of nine starts depends less on them than the best of nine', async () => {
  const config = { ...PRESETS.tiny, clusters: 4, clusterBy: 'images' as const, joinedFrom: 3 };
  const inCommon = { best: 0, consensus: 0 };
  for (let at = 0; at < 8; at++) {
    const rows = groups(150, 4, 0.4, `consensus ${at}`);
    const embeddings = { images: rows, clouds: rows, dimension: 8 };
    const neighbours = await nearestObjects(gpu(), rows, 8, config);
    const labelsOf = async (stream: string, restarts: number) =>
      (await clusterObjects(gpu(), embeddings, config, { stream, restarts })).labels;
    const bestOf = async (stream: string) => {
      const nine = await Promise.all(Array.from({ length: 9 }, (_, start) => labelsOf(`${stream} ${start}`, 1)));
      const held = nine.map((labels) => modularityOf(labels, neighbours, 4));
      return nine[held.indexOf(Math.max(...held))];
    };
    const share = (first: Int32Array, second: Int32Array) =>
      namedAfter(first, second, 4).filter((label, row) => label === first[row]).length / first.length;
    inCommon.best += share(await bestOf('first'), await bestOf('second')) / 8;
    inCommon.consensus += share(await labelsOf('first', 9), await labelsOf('second', 9)) / 8;
  }
  assert.ok(inCommon.consensus > inCommon.best + 0.02, JSON.stringify(inCommon));
});

test.run();
