/** The reversed neighbour graph: complete lists, in ascending order for any order of the invocations. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { reverseGraph } from '../../src/autograd/reverse_graph.ts';
import source from '../../src/shaders/reverse_graph.wgsl';
import { kernel, program } from '../../src/tensor/kernel.ts';
import { launch } from '../../src/tensor/launch.ts';
import { assertValues, EXACTLY } from '../support/close.ts';
import { gpuSuite, times } from '../support/gpu.ts';

const { test, gpu } = gpuSuite('reverseGraph');

test('every edge stands once, in the list of the point that it names, lists ascending', async () => {
  const sizes = fc.record({ batch: fc.integer({ min: 1, max: 3 }), points: fc.constantFrom(1, 2, 7, 63, 65) });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat(1000)),
      async (size, wish, picks) => {
        using _ = gpu().scope();
        const { batch, points } = size;
        const k = Math.min(wish, points);
        const neighbours = Int32Array.from({ length: batch * points * k }, () => picks.next().value % points);
        const graph = reverseGraph(gpu().tensor(neighbours, [batch, points, k]));
        const [starts, sources] = await Promise.all([graph.starts.read(), graph.sources.read()]);
        const expected = Array.from({ length: batch * points }, (): number[] => []);
        neighbours.forEach((named, edge) => {
          expected[Math.floor(edge / (points * k)) * points + named].push(Math.floor(edge / k));
        });
        const lists = expected.map((_list, point) => [...sources.subarray(starts[point], starts[point + 1])]);
        assert.equal(lists, expected);
        assertValues('reverseGraph', sources, expected.flat(), EXACTLY);
      },
    ),
    { numRuns: times(25) },
  );
});

test('sort: orders each list by itself, whatever it finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(50), { maxLength: 9 }), { minLength: 1, maxLength: 70 }),
      async (lists) => {
        using _ = gpu().scope();
        const all = lists.flat();
        if (all.length === 0) return;
        const starts = [0];
        for (const list of lists) starts.push(starts[starts.length - 1] + list.length);
        const sources = gpu().tensor(Uint32Array.from(all), [all.length]);
        const bindings = { startsIn: gpu().tensor(Uint32Array.from(starts), [starts.length]), sources };
        const sort = kernel(program('reverse_graph', source), 'sort');
        launch(sort, bindings, { batch: 1, points: lists.length, k: 1 }, { invocations: lists.length });
        assert.equal(
          [...(await sources.read())],
          lists.flatMap((list) => [...list].sort((a, b) => a - b)),
        );
      },
    ),
    { numRuns: times(10) },
  );
});

test.run();
