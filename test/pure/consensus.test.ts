/** The consensus of clusterings, and the names of their clusters. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { betterHalf, consensus, namedAfter } from '../../src/romo/method/consensus.ts';

const test = suite('consensus');

test('the better half: the clusterings with the highest modularity, best first, rounded up', () => {
  const labels = Int32Array.of(0);
  const found = [0.3, 0.9, 0.5, 0.7, 0.1].map((modularity) => ({ labels, modularity }));
  assert.equal(
    betterHalf(found).map(({ modularity }) => modularity),
    [0.9, 0.7, 0.5],
  );
  assert.is(betterHalf(found.slice(0, 1)).length, 1);
});

test('the consensus: the commonest label of clusterings whose clusters have one name, the first one where votes are equal', () => {
  const label = fc.integer({ min: 0, max: 3 });
  const clusterings = fc.array(fc.array(label, { minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(clusterings, (given) => {
      const [first, ...others] = given.map((labels) => Int32Array.from(labels));
      const named = [first, ...others.map((labels) => namedAfter(first, labels, 4))];
      const expected = [...first].map((own, row) => {
        const votes = [0, 1, 2, 3].map((at) => named.filter((labels) => labels[row] === at).length);
        const most = Math.max(...votes);
        return votes[own] === most ? own : votes.indexOf(most);
      });
      const smallest = (of: ArrayLike<number>) =>
        Math.min(...[0, 1, 2, 3].map((at) => Array.from(of).filter((one) => one === at).length));
      const isKept = 2 * smallest(expected) >= smallest(first);
      assert.equal([...consensus(first, others, 4)], isKept ? expected : [...first]);
    }),
  );
  const [a, b] = [Int32Array.of(0, 0, 1, 1, 2, 2), Int32Array.of(2, 2, 0, 0, 1, 0)];
  assert.equal([...consensus(a, [b, b], 3)], [0, 0, 1, 1, 2, 1]);
});

test('the consensus: no cluster is voted away by clusterings that each divide another class', () => {
  const first = Int32Array.from({ length: 40 }, (_, row) => Math.floor(row / 10));
  // All have the last two classes as one, and a part of the first class, another one each, as the fourth cluster.
  const others = [0, 3, 6].map((from) =>
    first.map((own, row) => (own > 1 ? 2 : row >= from && row < from + 3 ? 3 : own)),
  );
  assert.equal(consensus(first, others, 4), first);
});

test('clusters are named after the last labels: of all permutations the one that keeps most', () => {
  const digits = Array.from({ length: 4 ** 4 }, (_, at) => [at, at >> 2, at >> 4, at >> 6].map((value) => value & 3));
  const permutations = digits.filter((names) => new Set(names).size === 4);
  const label = fc.integer({ min: 0, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(label, label), { minLength: 1, maxLength: 30 }), (objects) => {
      const [last, labels] = [0, 1].map((which) => Int32Array.from(objects, (object) => object[which]));
      const named = namedAfter(last, labels, 4);
      const kept = (names: ArrayLike<number>) => labels.filter((from, row) => names[from] === last[row]).length;
      const most = Math.max(...permutations.map(kept));
      assert.is(named.filter((name, row) => name === last[row]).length, most);
      const names = new Map([...labels].map((from, row) => [from, named[row]]));
      assert.is(new Set(names.values()).size, names.size);
      labels.forEach((from, row) => {
        assert.is(named[row], names.get(from));
      });
    }),
  );
});

test.run();
