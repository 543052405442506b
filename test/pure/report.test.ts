/** The report: a self-contained file that escapes names. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { STAGE_NAMES } from '../../src/commands/report.ts';
import { nearest, seen, viewFrom, viewOf } from '../../src/data/cloud_view.ts';
import type { LabelledDataSet } from '../../src/data/types.ts';
import { examplesOf, Items, mapOf } from '../../src/report/contents.ts';
import { reportPage } from '../../src/report/page.ts';
import { cloudPicture, imagePicture } from '../../src/report/pictures.ts';
import { metricsIn } from '../../src/report/report.ts';
import { PRESETS } from '../../src/romo/config.ts';
import { allDirections } from '../../src/romo/figures/retrieval.ts';
import { Random } from '../../src/tensor/random.ts';

const test = suite('report');
const HOSTILE = `<script>alert("&'")</script>`;
const OBJECTS = 12;
const labels = {
  classNames: ['cup', HOSTILE, 'tree'],
  values: Int32Array.from({ length: OBJECTS }, (_, i) => i % 3),
};
const pairs: LabelledDataSet['test']['pairs'] = {
  name: 'fake',
  length: OBJECTS,
  imageShape: [6, 6, 3],
  id: (index) => `${HOSTILE}/${index}`,
  load: async (indices) =>
    Array.from(indices, (index) => ({
      image: new Float32Array(6 * 6 * 3).fill(index / OBJECTS),
      cloud: Float32Array.from({ length: 30 }, (_, i) => Math.cos(i + index)),
    })),
};
const rotation = { axis: 1, maxDegrees: 180 } as const;

const METRICS = `{"stage":"ssm","step":1,"loss":2,"supervision":1,"invariance":3}
{"warning":"x"}
{"stage":"rdl","epoch":0,"confident":0.7,"moved":0.1,"view":"images","agreement":0.6,"clusterSizes":[1,2]}
{"stage":"rdl","epoch":1,"confident":0.95,"moved":0,"clusterSizes":[1,2]}
`;

/** Rows of three separate classes. */
function embeddings() {
  const random = new Random(1, 'report');
  const rows = () =>
    Float32Array.from(
      { length: OBJECTS * 3 },
      (_, i) => random.uniform(0, 0.3) + Number(i % 3 === Math.floor(i / 3) % 3),
    );
  return { images: rows(), clouds: rows(), dimension: 3 };
}

async function page(): Promise<string> {
  const items = new Items(pairs, labels, rotation);
  const made = embeddings();
  const retrieval = allDirections(made, labels);
  const figures = { imageToPoints: 0.5, pointsToImage: 0.25, clusterAccuracy: 1, hit: 'class' as const };
  return reportPage({
    config: { ...PRESETS.tiny, data: `folder:${HOSTILE}` },
    adapter: HOSTILE,
    stages: { untrained: figures, kmeans: figures, ssm: figures, rdl: figures },
    stageNames: STAGE_NAMES,
    retrieval,
    classNames: labels.classNames,
    queries: OBJECTS,
    ...metricsIn(METRICS),
    map: mapOf(made, labels, 1),
    examples: [await examplesOf('imageToPoints', retrieval.imageToPoints, items)],
    clusters: [{ size: 4, className: HOSTILE, purity: 0.75, items: [await items.get(1)] }],
  });
}

test('names are text everywhere, and nothing is fetched or run', async () => {
  const html = await page();
  assert.not.ok(html.includes('<script'), 'a name became a tag');
  assert.not.match(html.replaceAll(/xmlns[:\w]*="[^"]*"/g, ''), /https?:|url\(|src="(?!data:)/);
  assert.ok(html.includes('50.0 %') && html.includes('75.0 % '));
  assert.ok((html.match(/<svg/g) ?? []).length >= 5);
  assert.ok(html.includes('data:image/png;base64,'));
});

test('losses and self-labelling are read from the metrics and drawn, also where an earlier version wrote fewer', async () => {
  const { losses, relabels } = metricsIn(METRICS);
  assert.is(losses.length, 1);
  assert.equal(
    relabels.map(({ confident, agreement }) => [confident, agreement]),
    [
      [0.7, 0.6],
      [0.95, undefined],
    ],
  );
  const html = await page();
  for (const line of ['confident', 'label moved', 'views agree']) assert.ok(html.includes(line), line);
});

test('the same run gives the same report', async () => {
  assert.is(await page(), await page());
});

test('best and worst queries are those of the average precisions', async () => {
  const retrieval = allDirections(embeddings(), labels);
  const { averagePrecisions } = retrieval.imageToPoints;
  const { best, worst } = await examplesOf(
    'imageToPoints',
    retrieval.imageToPoints,
    new Items(pairs, labels, rotation),
  );
  assert.is(best[0].averagePrecision, Math.max(...averagePrecisions));
  assert.is(worst[0].averagePrecision, Math.min(...averagePrecisions));
  const shown = [...best, ...worst].map(({ query }) => query.id);
  assert.is(new Set(shown).size, OBJECTS);
});

test('pictures of any shape, of a single point too', async () => {
  const png = /^data:image\/png;base64,iVBOR/;
  assert.match(await imagePicture(Float32Array.of(0.5), [1, 1, 1]), png);
  assert.match(await imagePicture(new Float32Array(300 * 2 * 4), [300, 2, 4]), png);
  for (const axis of [0, 1, 2] as const) {
    for (const maxDegrees of [20, 180]) {
      const view = viewOf({ axis, maxDegrees });
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
      const { right, up, eye } = view;
      const cross = [0, 1, 2].map((i) => right[(i + 1) % 3] * up[(i + 2) % 3] - right[(i + 2) % 3] * up[(i + 1) % 3]);
      assert.ok(Math.abs(dot(right, right) - 1) < 1e-12 && Math.abs(dot(up, up) - 1) < 1e-12, `${axis} ${maxDegrees}`);
      for (let i = 0; i < 3; i++)
        assert.ok(Math.abs(cross[i] - eye[i]) < 1e-12, `${axis} ${maxDegrees}: not right-handed`);
      assert.match(await cloudPicture(Float32Array.of(0, 0, 0), view), png);
    }
  }
});

test('the nearest point to the eye is in front, and points outside of the picture are left out', () => {
  const view = viewFrom(0, 0); // from +x: y to the right, z up
  assert.equal(
    [...seen(Float32Array.of(1, 2, 3), view)].map((value) => Math.round(value)),
    [2, 3, 1],
  );
  const picture = nearest(Float32Array.of(0, 1, 1, 0.5, 1, 1, 0, 90, 0), view, 8, 2);
  const inked = [...picture.keys()].filter((pixel) => picture[pixel] !== Number.NEGATIVE_INFINITY);
  assert.equal(inked, [22, 23, 30, 31]); // rows 2 and 3, columns 6 and 7
  for (const pixel of inked) assert.is(picture[pixel], 0.5);
});

test.run();
