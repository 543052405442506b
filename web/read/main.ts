/** The reading page: listings load when they come near, figures when the GPU is open. Reading works without WebGPU. */
import { type Remote, wrap } from 'comlink';
import { messageOf, tell } from '../shared/page.ts';
import { edgeFigure, knnFigure, rcllFigure } from './figures.ts';
import type { FigureEngine } from './worker.ts';

/** Hanging indent of a line that wraps: comments continue under their first word, code four columns further in. */
function hangOf(line: string): number {
  const [indentation, mark] = /^\s*((?:\*|\/\/)\s)?/.exec(line) as RegExpExecArray;
  return indentation.length + (mark ? 0 : 4);
}

/** Shows a file; the build made these fragments from the repository's own sources. */
async function showCode(listing: HTMLElement, path: string): Promise<void> {
  listing.dataset.shown = path;
  listing.setAttribute('aria-label', path);
  for (const button of listing.parentElement?.querySelectorAll('button') ?? []) {
    button.setAttribute('aria-pressed', `${button.dataset.code === path}`);
  }
  const response = await fetch(`read/code/${path}.html`);
  if (!response.ok) throw new Error(`${path} could not be loaded: ${response.status}. Load the page again.`);
  const { body } = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (listing.dataset.shown !== path) return; // another file was chosen meanwhile
  for (const line of body.querySelectorAll<HTMLElement>('.line')) {
    line.style.setProperty('--hang', `${hangOf(line.textContent ?? '')}ch`);
  }
  listing.replaceChildren(...body.childNodes);
  listing.scrollTop = 0;
}

const report = (error: unknown) => tell(messageOf(error));
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const listing = target as HTMLElement;
      if (!isIntersecting) continue;
      near.unobserve(listing);
      if (!listing.hasChildNodes()) showCode(listing, listing.dataset.shown as string).catch(report);
    }
  },
  { rootMargin: '600px' },
);
for (const listing of document.querySelectorAll('.listing')) near.observe(listing);

document.addEventListener('click', (event) => {
  const named = (event.target as Element).closest<HTMLElement>('[data-code]');
  const listing = named?.closest('section')?.querySelector<HTMLElement>('.listing');
  if (!named || !listing) return;
  event.preventDefault();
  showCode(listing, named.dataset.code as string).catch(report);
});

const FIGURES = { knn: knnFigure, 'edge-conv': edgeFigure, rcll: rcllFigure };

/** Says in each figure why it has no numbers. */
function explain(reason: string): void {
  for (const name of Object.keys(FIGURES)) {
    const caption = document.createElement('figcaption');
    caption.textContent = `This figure computes its numbers on the GPU: ${reason}`;
    document.getElementById(`figure-${name}`)?.append(caption);
  }
}

async function openFigures(): Promise<void> {
  if (!('gpu' in navigator && navigator.gpu)) {
    explain('this browser does not support WebGPU. The Search page lists those that do.');
    return;
  }
  const engine: Remote<FigureEngine> = wrap(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
  const refused = await engine.open();
  if (refused) {
    explain(refused);
    return;
  }
  for (const [name, draw] of Object.entries(FIGURES)) {
    const figure = document.getElementById(`figure-${name}`);
    if (figure) await draw(figure, engine, report);
  }
}
openFigures().catch(report);
