/** The three live figures. Each draws what the worker's kernels compute. */
import type { Remote } from 'comlink';
import { addCaption, addHeading, addSliders, latest, svg } from './controls.ts';
import type { FigureEngine } from './worker.ts';

type Engine = Remote<FigureEngine>;
type Fail = (error: unknown) => void;

const POINTS = 60;
const SEED = 5;
const WIDTH = 480;
const HEIGHT = 300;
const number = (value: number) => value.toFixed(3).replace('-', '−');

/** Points in the plane; a click on one calls `choose` with its index. */
function plane(points: Float32Array, choose: (index: number) => void) {
  const edges = svg('g', {});
  const dots = Array.from({ length: points.length / 2 }, (_, i) => {
    const [cx, cy] = placeOf(points, i);
    const dot = svg('circle', { class: 'dot', cx, cy, r: 5 });
    dot.addEventListener('click', () => choose(i));
    return dot;
  });
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' }, [edges, ...dots]);
  const show = (chosen: number, near: readonly number[], label: string) => {
    dots.forEach((dot, i) => {
      dot.setAttribute('class', `dot${i === chosen ? ' chosen' : near.includes(i) ? ' near' : ''}`);
    });
    const [x1, y1] = placeOf(points, chosen);
    const lines = near.map((index) => {
      const [x2, y2] = placeOf(points, index);
      return svg('line', { class: 'edge', x1, y1, x2, y2 });
    });
    edges.replaceChildren(...lines);
    picture.setAttribute('aria-label', label);
  };
  return { picture, show };
}

const placeOf = (points: Float32Array, i: number) => [
  WIDTH / 2 + points[2 * i] * (WIDTH / 2 - 12),
  HEIGHT / 2 - points[2 * i + 1] * (HEIGHT / 2 - 12),
];

export async function knnFigure(figure: HTMLElement, engine: Engine, fail: Fail): Promise<void> {
  const points = await engine.points(POINTS, SEED);
  addHeading(figure, 'Neighbours, found by the kernel');
  const update = latest(async () => {
    const [chosen, k] = [sliders.value(0), sliders.value(1)];
    const near = Array.from((await engine.neighbours(points, k)).slice(chosen * k, (chosen + 1) * k));
    show(chosen, near, `Point ${chosen} of ${POINTS} and lines to its ${k} nearest points`);
    caption.textContent = `Point ${chosen}, nearest first, itself included: ${near.join(', ')}.`;
  }, fail);
  const { picture, show } = plane(points, (index) => sliders.set(0, index));
  figure.append(picture);
  const sliders = addSliders(
    figure,
    [
      { label: 'Point', min: 0, max: POINTS - 1, step: 1, value: 20 },
      { label: 'k', min: 1, max: 16, step: 1, value: 6 },
    ],
    update,
  );
  const caption = addCaption(figure);
  update();
}

export async function edgeFigure(figure: HTMLElement, engine: Engine, fail: Fail): Promise<void> {
  const points = await engine.points(POINTS, SEED);
  addHeading(figure, 'An edge is a sum of two numbers');
  const table = document.createElement('table');
  const update = latest(async () => {
    const [chosen, channel] = [sliders.value(0), sliders.value(1)];
    const { rows, q, output } = await engine.edges(points, 6, chosen, channel);
    const largest = rows.reduce((best, row) => (row.sum > best.sum ? row : best));
    table.replaceChildren(rowOf('th', ['neighbour j', 'P_j', 'P_j + Q_i', 'W [x_j − x_i ; x_i]']));
    for (const row of rows) {
      const line = rowOf('td', [`${row.index}`, number(row.p), number(row.sum), number(row.textbook)]);
      if (row === largest) line.className = 'winner';
      table.append(line);
    }
    const slope = largest.sum < 0 ? ', times 0.2 below zero' : '';
    caption.textContent = `Point ${chosen}, channel ${channel}: Q_i is ${number(q)}. The largest sum, ${number(largest.sum)}${slope}, is the output of edgeConv: ${number(output)}. The last column is the textbook product over the edge, from another kernel.`;
  }, fail);
  figure.append(table);
  const sliders = addSliders(
    figure,
    [
      { label: 'Point', min: 0, max: POINTS - 1, step: 1, value: 20 },
      { label: 'Channel', min: 0, max: 3, step: 1, value: 0 },
    ],
    update,
  );
  const caption = addCaption(figure);
  update();
}

function rowOf(tag: 'th' | 'td', cells: readonly string[]): HTMLTableRowElement {
  const row = document.createElement('tr');
  for (const text of cells) {
    const cell = document.createElement(tag);
    if (tag === 'th') cell.setAttribute('scope', 'col');
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}

const PROBABILITIES = Float32Array.from({ length: 64 }, (_, i) => (i + 0.5) / 64);

export async function rcllFigure(figure: HTMLElement, engine: Engine, fail: Fail): Promise<void> {
  addHeading(figure, 'Which labels the loss trusts');
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
  figure.append(picture);
  const update = latest(async () => {
    const [alpha, classes] = [sliders.value(0), sliders.value(1)];
    const { rcll, crossEntropy } = await engine.curves(PROBABILITIES, alpha, classes);
    const threshold = 1 / classes;
    picture.replaceChildren(
      ...panel(0, 'loss', [rcll.loss, crossEntropy.loss], 5, threshold),
      ...panel(WIDTH / 2, 'pull on the label’s logit', [rcll.pull, crossEntropy.pull], 1.1, threshold),
    );
    const at = (p: number) => Math.round(p * 64 - 0.5);
    const figuresAt = (p: number) => `${number(rcll.pull[at(p)])} against ${number(crossEntropy.pull[at(p)])}`;
    caption.textContent = `RCLL (solid) and cross entropy (dashed) over the probability p of the label. Pull at p ≈ 0.05: ${figuresAt(0.05)}; at p ≈ 0.5: ${figuresAt(0.5)}. Left of 1/C = ${threshold.toFixed(2)} RCLL’s pull fades: a label that the model finds no likelier than chance teaches nothing.`;
    picture.setAttribute(
      'aria-label',
      `Loss and gradient of RCLL with alpha ${alpha} and ${classes} classes, and of cross entropy`,
    );
  }, fail);
  const sliders = addSliders(
    figure,
    [
      { label: 'α', min: 0, max: 1, step: 0.05, value: 0.25 },
      { label: 'Classes C', min: 2, max: 20, step: 1, value: 10 },
    ],
    update,
  );
  const caption = addCaption(figure);
  update();
}

/** One of the two plots: a frame, the threshold, and the curves of RCLL and cross entropy. */
function panel(left: number, title: string, [own, other]: readonly Float32Array[], top: number, threshold: number) {
  const [x0, x1, y0, y1] = [left + 26, left + WIDTH / 2 - 10, HEIGHT - 34, 26];
  const x = (p: number) => x0 + p * (x1 - x0);
  const y = (value: number) => y0 - (Math.min(value, top) / top) * (y0 - y1);
  const path = (values: Float32Array) =>
    `M${Array.from(values, (value, i) => `${x(PROBABILITIES[i]).toFixed(1)} ${y(value).toFixed(1)}`).join('L')}`;
  const label = (text: string, across: number, down: number, anchor = 'middle') =>
    svg('text', { x: across, y: down, 'text-anchor': anchor }, [text]);
  return [
    svg('path', { class: 'frame', d: `M${x0} ${y1}V${y0}H${x1}` }),
    svg('path', { class: 'frame', d: `M${x(threshold)} ${y1}V${y0}`, 'stroke-dasharray': '2 3' }),
    svg('path', { class: 'curve ce', d: path(other) }),
    svg('path', { class: 'curve rcll', d: path(own) }),
    label(title, (x0 + x1) / 2, 14),
    label('0', x0, HEIGHT - 18),
    label('1/C', x(threshold), HEIGHT - 4),
    label('p = 1', x1, HEIGHT - 18, 'end'),
    label(`${top}`, x0 - 4, y1 + 4, 'end'),
  ];
}
