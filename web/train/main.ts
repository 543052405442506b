/** The training page: controls the worker and draws what it reports. */
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { download, element, hasWebGpu, messageOf, showNoWebGpu, tell } from '../shared/page.ts';
import { LineChart } from './charts.ts';
import { HUES, SpaceMap } from './map.ts';
import { configOf, type Plan } from './plan.ts';
import type { Event, Trainer } from './worker.ts';

const trainer: Remote<Trainer> = wrap(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
const form = element<HTMLFormElement>('plan');
const buttons = Object.fromEntries(
  ['start', 'pause', 'stop', 'again', 'download'].map((id) => [id, element<HTMLButtonElement>(id)]),
);
const status = element('status');
const progress = element<HTMLProgressElement>('progress');
const losses = new LineChart(
  element('loss'),
  [
    { label: 'total', colour: 'ink', width: 2 },
    { label: 'labels', colour: 'image' },
    { label: 'partners', colour: 'cloud' },
  ],
  'step',
  (_, high) => [0, high * 1.05],
);
const retrieval = new LineChart(
  element('retrieval'),
  [
    { label: 'picture finds cloud', colour: 'image', width: 2 },
    { label: 'cloud finds picture', colour: 'cloud', width: 2 },
  ],
  'epoch',
  () => [0, 1],
  true,
);
const map = new SpaceMap(element<HTMLCanvasElement>('map'));

type State = 'closed' | 'idle' | 'running' | 'paused';
let state: State = 'closed';
let hasWarmUp = false;
let hasModel = false;
/** steps of stage 1, where the curve of stage 2 continues */
let warmUpSteps = 0;
let pausedByHiding = false;

function become(next: State): void {
  state = next;
  const isBusy = next === 'running' || next === 'paused';
  buttons.start.disabled = next !== 'idle';
  buttons.pause.disabled = buttons.stop.disabled = !isBusy;
  buttons.pause.textContent = next === 'paused' ? 'Resume' : 'Pause';
  buttons.again.disabled = next !== 'idle' || !hasWarmUp;
  buttons.download.disabled = next !== 'idle' || !hasModel;
}

function planOf(): Plan {
  const data = new FormData(form);
  const number = (name: string) => Number(data.get(name));
  return {
    size: data.get('size') as Plan['size'],
    train: number('train'),
    epochs: [number('epochs1'), number('epochs2')],
    optimizer: data.get('optimizer') as Plan['optimizer'],
    recipe: data.get('recipe') as Plan['recipe'],
    loss: data.get('loss') as Plan['loss'],
    noise: number('noise') / 100,
    seed: number('seed'),
  };
}

/** Removes the placeholder of a figure that has something to show. */
function fill(part: HTMLElement): void {
  delete part.parentElement?.dataset.empty;
}

/** Shows which colour of the map stands for which class. */
function showClasses(names: readonly string[]): void {
  const entries = names.map((name, i) => {
    const entry = document.createElement('li');
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.background = HUES[i % HUES.length];
    entry.append(swatch, name);
    return entry;
  });
  element('classes').replaceChildren(...entries);
}

/** Empties the charts, with room for the whole run. */
function clearCharts(plan: Plan): void {
  const { train, batch, ssm, rdl } = configOf(plan);
  const epochs = ssm.epochs + rdl.epochs;
  losses.clear(epochs * Math.floor(train / batch));
  retrieval.clear(epochs);
}

function showClusters(sizes: readonly number[], of: string): void {
  const largest = Math.max(...sizes);
  const list = element('clusters');
  const entries = sizes.map((size) => {
    const entry = document.createElement('li');
    const count = document.createElement('span');
    count.textContent = `${size}`;
    const bar = document.createElement('div');
    bar.className = 'bar';
    bar.style.height = `${(85 * size) / largest}%`;
    entry.append(count, bar);
    return entry;
  });
  list.replaceChildren(...entries);
  fill(list);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  element('clusters-text').textContent =
    `Objects per cluster, ${of}: the largest holds ${Math.round((100 * largest) / total)} % of ${total}.`;
}

function happened(event: Event): void {
  if (event.type === 'phase') status.textContent = event.text;
  else if (event.type === 'lost') tell(event.text);
  else if (event.type === 'clusters') showClusters(event.sizes, event.of);
  else if (event.type === 'labels') {
    const { right, rightWithNoise } = event;
    const noisy = rightWithNoise === right ? '' : `, ${rightWithNoise.toFixed(2)} after the noise`;
    status.textContent = `Pseudo labels right: ${right.toFixed(2)}${noisy}.`;
  } else if (event.type === 'step') {
    const { stage, step, steps, loss, supervision, invariance } = event.report;
    if (stage === 'ssm') warmUpSteps = steps;
    losses.add(stage === 'ssm' ? step : warmUpSteps + step, [loss, supervision, invariance]);
    progress.value = ((stage === 'ssm' ? 0 : 1) + step / steps) / 2;
    if (stage === 'ssm' && step === steps) hasWarmUp = true;
    element('loss-text').textContent =
      `${stage === 'ssm' ? 'Stage 1' : 'Stage 2'}, step ${step} of ${steps}: total ${loss.toFixed(3)}, labels ${supervision.toFixed(3)}, partners ${invariance.toFixed(3)}.`;
  } else {
    const { epoch, of, imageToPoints, pointsToImage } = event;
    retrieval.add(epoch, [imageToPoints, pointsToImage]);
    map.show(event.map);
    fill(element('map'));
    showClasses(event.map.classNames);
    element('retrieval-text').textContent =
      `${of}: picture finds cloud ${imageToPoints.toFixed(3)}, cloud finds picture ${pointsToImage.toFixed(3)} (mean average precision on 100 held-out objects; chance is about 0.1).`;
  }
}

async function run(work: () => Promise<boolean>): Promise<void> {
  tell('');
  become('running');
  try {
    const isDone = await work();
    hasModel ||= isDone;
    status.textContent = isDone ? 'Done. You can download the model.' : 'Stopped.';
  } catch (error) {
    tell(messageOf(error));
    status.textContent = 'Stopped by an error.';
  }
  become('idle');
}

form.onsubmit = (event) => {
  event.preventDefault();
  hasWarmUp = hasModel = false;
  clearCharts(planOf());
  void run(() => trainer.start(planOf()));
};
buttons.again.onclick = () => void run(() => trainer.stageTwo(planOf()));
buttons.stop.onclick = () => void trainer.stop();

function pause(): void {
  void trainer.pause();
  become('paused');
}

function resume(): void {
  void trainer.resume();
  become('running');
}

buttons.pause.onclick = () => (state === 'paused' ? resume() : pause());
document.addEventListener('visibilitychange', () => {
  if (document.hidden && state === 'running') {
    pausedByHiding = true;
    pause();
  } else if (!document.hidden && pausedByHiding) {
    pausedByHiding = false;
    if (state === 'paused') resume();
  }
});

buttons.download.onclick = async () => {
  const bytes = await trainer.model();
  if (bytes) download(bytes, 'model.safetensors');
};

const input = element<HTMLInputElement>('model-file');
async function load(file: File): Promise<void> {
  if (state !== 'idle') {
    tell('Stop the training before you load a model.');
    return;
  }
  tell('');
  status.textContent = `Loading ${file.name} …`;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await trainer.load(transfer(bytes, [bytes.buffer]), file.name);
    hasModel = true;
    status.textContent = `${file.name}: its map and figures are shown.`;
  } catch (error) {
    tell(messageOf(error));
    status.textContent = 'Nothing was loaded.';
  }
  become('idle');
}
input.onchange = async () => {
  const [file] = input.files ?? [];
  if (file) await load(file);
  input.value = '';
};

element<HTMLInputElement>('by-class').onchange = (event) => {
  map.byClass = (event.target as HTMLInputElement).checked;
  element('classes').hidden = !map.byClass;
  map.draw();
};
form.querySelector<HTMLInputElement>('[name=noise]')?.addEventListener('input', (event) => {
  element('noise-shown').textContent = `${(event.target as HTMLInputElement).value} %`;
});
element('lose').onclick = () => void trainer.loseDevice();

clearCharts(planOf());
if (hasWebGpu()) {
  trainer.open(proxy(happened)).then(
    (opened) => {
      if ('refused' in opened) {
        showNoWebGpu(opened.refused);
        return;
      }
      element('adapter').textContent =
        `${opened.adapter}${opened.software ? ' (software: expect minutes, not seconds)' : ''}`;
      status.textContent =
        'Ready. A run with these settings takes seconds on a GPU, a few minutes on a software adapter.';
      become('idle');
    },
    (error) => {
      tell(messageOf(error));
      status.textContent = 'The GPU could not be opened. Load the page again.';
    },
  );
}
