/** The search page: sends what the visitor draws, drops or picks to the worker, and shows the results. */
import { proxy, type Remote, transfer, wrap } from 'comlink';
import type { Axis } from 'romo/data';
import { element, hasWebGpu, messageOf, onThemeChange, showNoWebGpu, tell } from '../shared/page.ts';
import { paintCloud, paintInk, paintPicture } from '../shared/thumbnails.ts';
import { Cards } from './cards.ts';
import type { GalleryItem } from './gallery.ts';
import { readPicture } from './photo.ts';
import { Sketchpad } from './sketchpad.ts';
import type { ModelInfo, Opened, Query, SearchEngine } from './worker.ts';

type Kind = 'draw' | 'photo' | 'object';

const engine: Remote<SearchEngine> = wrap(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
const cards = new Cards(element('cards'), element<HTMLCanvasElement>('clouds'), searchWith);
const status = element('status');
let items: GalleryItem[] = [];
/** the query of each kind, kept while another kind is selected */
const queries: Partial<Record<Kind, Query>> = {};
let kind: Kind = 'draw';

/** One search at a time; of the queries that arrive meanwhile, only the latest is kept. */
let running = false;
let waiting = false;
async function search(): Promise<void> {
  const query = queries[kind];
  if (running || items.length === 0) {
    waiting = true;
    return;
  }
  if (!query) {
    invite();
    element('cards').removeAttribute('aria-busy');
    return;
  }
  element('results-heading').textContent = kind === 'object' ? 'Nearest pictures' : 'Nearest 3D objects';
  running = true;
  element('cards').setAttribute('aria-busy', 'true');
  cards.rest(true);
  try {
    const { matches, fingerprint, milliseconds } = await engine.search(query);
    const best = cards.show(matches, items, kind === 'object');
    status.textContent = `Nearest: ${best}`;
    element('fingerprint').textContent = fingerprint;
    element('timing').textContent = `${milliseconds.toFixed(0)} ms, among ${matches.length}`;
  } catch (error) {
    tell(messageOf(error));
  } finally {
    running = false;
    cards.rest(false);
  }
  if (waiting) {
    waiting = false;
    await search();
  } else element('cards').removeAttribute('aria-busy');
}

/** Without a query, shows samples from the gallery. */
function invite(): void {
  element('results-heading').textContent = 'In the gallery';
  status.textContent = `Ready: ${items.length} 3D objects to search.`;
  cards.browse(items);
}

/** Searches with a chosen card: with its object for pictures, or with its picture for objects. */
function searchWith(index: number): void {
  const { picture, name } = items[index];
  if (kind === 'object' && picture) {
    showPicture(picture, `of a ${name}, from the gallery`);
    return;
  }
  queries.object = { object: index };
  choose('object');
  press(element('objects').querySelectorAll('button')[index]);
}

function ask(of: Kind, query: Query | undefined): void {
  if (query) queries[of] = query;
  else delete queries[of];
  void search();
}

function choose(next: Kind): void {
  kind = next;
  if (next === 'object') paintObjects();
  for (const name of ['draw', 'photo', 'object']) element(name).hidden = name !== next;
  element<HTMLFieldSetElement>('kinds').querySelector<HTMLInputElement>(`[value=${next}]`)?.click();
  void search();
}

function showPadState(): void {
  element('pad-hint').hidden = !pad.isEmpty;
  element<HTMLButtonElement>('undo').disabled = element<HTMLButtonElement>('clear').disabled = pad.isEmpty;
}

const pad = new Sketchpad(element<HTMLCanvasElement>('pad'), () => {
  showPadState();
  press(null);
  ask('draw', pad.isEmpty ? undefined : { picture: pad.picture() });
});
element('undo').onclick = () => pad.undo();
element('clear').onclick = () => pad.clear();
element('kinds').onchange = (event) => choose((event.target as HTMLInputElement).value as Kind);

/** Marks one of the tiles as chosen. */
function press(button: HTMLButtonElement | null): void {
  const all = element('examples').parentElement?.parentElement?.querySelectorAll('.tiles button') ?? [];
  for (const other of all) other.setAttribute('aria-pressed', `${other === button}`);
}

function tile(label: string, list: string, paint: (canvas: HTMLCanvasElement) => void, act: () => void): void {
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-label', label);
  button.setAttribute('aria-pressed', 'false');
  const canvas = document.createElement('canvas');
  paint(canvas);
  onThemeChange(() => paint(canvas));
  button.append(canvas);
  button.onclick = () => {
    press(button);
    act();
  };
  const entry = document.createElement('li');
  entry.append(button);
  element(list).append(entry);
}

/** Paints the gallery's tiles when they are first shown, since there are many. */
function paintObjects(): void {
  items.slice(element('objects').childElementCount).forEach((item, i, { length }) => {
    addObjectTile(item, items.length - length + i);
  });
}

function addObjectTile(item: GalleryItem, index: number): void {
  const paint = (canvas: HTMLCanvasElement) => paintCloud(canvas, item.cloud);
  tile(`3D object ${index + 1}: ${item.name}`, 'objects', paint, () => ask('object', { object: index }));
}

function showPicture(picture: Float32Array, what: string): void {
  const preview = element<HTMLCanvasElement>('photo-preview');
  paintPicture(preview, picture);
  preview.setAttribute('aria-label', `The picture ${what}`);
  element('photo-hint').hidden = true;
  queries.photo = { picture };
  choose('photo');
}

async function addMesh(file: File): Promise<void> {
  const chosen = element<HTMLSelectElement>('up').value;
  // OBJ does not define an axis; most exporters write y. GLB has y up whatever is passed.
  const up = chosen === 'auto' ? (/\.obj$/i.test(file.name) ? 'y' : 'z') : (chosen as Axis);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const item = await engine.addMesh(transfer(bytes, [bytes.buffer]), file.name, up);
  items.push(item);
  if (kind === 'object') paintObjects();
  const entry = document.createElement('li');
  entry.textContent = `${file.name}: in the gallery as “${item.name}”`;
  element('own').append(entry);
  await search();
}

function showModel({ name, parameters, dimension, imageSize, points, metadata }: ModelInfo): void {
  const size = `${Math.round(parameters / 1000)} thousand parameters, pictures of ${imageSize} pixels, ${points} points per cloud, ${dimension} numbers per embedding`;
  const figures = Object.entries(metadata).filter(([key]) => key.startsWith('mAP'));
  const measured = figures.map(([key, value]) => `${key}: ${value}`).join('; ');
  element('model').textContent = `In use: ${name}. ${size}.${measured ? ` On held-out objects: ${measured}.` : ''}`;
}

async function loadModel(bytes: Uint8Array, name: string): Promise<void> {
  status.textContent = `Loading ${name}, embedding the gallery …`;
  try {
    showModel(await engine.loadModel(transfer(bytes, [bytes.buffer]), name));
    element('model-reset').hidden = false;
  } finally {
    await search(); // with the new model, or with the previous one if loading failed
  }
}

async function resetModel(): Promise<void> {
  const response = await fetch(new URL('./model.safetensors', import.meta.url));
  if (!response.ok) throw new Error(`The built-in model could not be loaded: ${response.status}. Load the page again.`);
  await loadModel(new Uint8Array(await response.arrayBuffer()), 'the built-in model');
  element('model-reset').hidden = true;
}

async function open(file: File): Promise<void> {
  if (/\.(off|obj|ply|stl|glb|pcd|xyz|npy)$/i.test(file.name)) await addMesh(file);
  else if (/\.safetensors$/i.test(file.name)) await loadModel(new Uint8Array(await file.arrayBuffer()), file.name);
  else showPicture(await readPicture(file, file.name), file.name);
}

/** Opens files one by one; a bad file is reported and does not stop the others. */
async function openAll(files: Iterable<File>): Promise<void> {
  tell('');
  const faults: string[] = [];
  for (const file of files) await open(file).catch((error) => faults.push(messageOf(error)));
  if (faults.length > 0) tell(faults.join(' '));
}

for (const id of ['photo-file', 'mesh-files', 'model-file']) {
  const input = element<HTMLInputElement>(id);
  input.onchange = async () => {
    await openAll(Array.from(input.files ?? []));
    input.value = ''; // so that the same file can be chosen again
  };
}
element('model-reset').onclick = () => void resetModel().catch((error) => tell(messageOf(error)));
element('lose').onclick = () => void engine.loseDevice();
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) document.body.classList.remove('dropping');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  void openAll(Array.from(event.dataTransfer?.files ?? []));
});

function whenLost(whatHappened: string): void {
  tell(whatHappened);
  void search();
}

function show(opened: Opened): void {
  items = [...opened.items];
  element('adapter').textContent = opened.adapter;
  showModel(opened.model);
  for (const { name, picture } of opened.examples) {
    const paint = (canvas: HTMLCanvasElement) => paintInk(canvas, picture);
    tile(`Example drawing: ${name}`, 'examples', paint, () => {
      pad.show(picture);
      showPadState();
      ask('draw', { picture });
    });
  }
  if (kind === 'object') paintObjects();
  waiting = false;
  void search(); // with what was drawn while loading
}

if (hasWebGpu()) {
  engine.open(proxy(whenLost)).then(
    (opened) => ('refused' in opened ? showNoWebGpu(opened.refused) : show(opened)),
    (error) => {
      tell(messageOf(error));
      status.textContent = 'The search could not be opened. Load the page again.';
    },
  );
}
