/** The result cards. Their places exist from the start, so that nothing moves when results arrive. */
import { paintCloud, paintPicture } from '../shared/thumbnails.ts';
import { CloudStage, type Slot } from './clouds.ts';
import type { GalleryItem } from './gallery.ts';
import type { Match } from './worker.ts';

const SHOWN = 12;

export class Cards {
  private readonly cards: { view: HTMLElement; name: HTMLElement; similarity: HTMLElement }[] = [];
  private readonly stage: CloudStage | null;

  /** @param pick called with the index of the item whose card is chosen */
  constructor(
    private readonly list: HTMLElement,
    canvas: HTMLCanvasElement,
    private readonly pick: (index: number) => void,
  ) {
    for (let i = 0; i < SHOWN; i++) {
      const entry = document.createElement('li');
      const make = (tag: string, parent: HTMLElement) => parent.appendChild(document.createElement(tag));
      const view = make('div', entry);
      view.className = 'view';
      const caption = make('div', entry);
      caption.className = 'caption';
      this.cards.push({ view, name: make('span', caption), similarity: make('span', caption) });
      list.append(entry);
    }
    this.stage = openStage(canvas);
  }

  /** Stops the animation during a search, which needs the GPU. */
  rest(isResting: boolean): void {
    this.stage?.rest(isResting);
  }

  /** Shows samples from the whole gallery while there is no query. */
  browse(items: readonly GalleryItem[]): void {
    const indices = Array.from({ length: SHOWN }, (_, i) => Math.floor((i * items.length) / SHOWN));
    this.list.classList.remove('ranked');
    this.fill(indices, items, false);
  }

  /** Shows the best matches. @returns a text that names the first three */
  show(matches: readonly Match[], items: readonly GalleryItem[], asPictures: boolean): string {
    const shown = matches.slice(0, SHOWN);
    this.list.classList.add('ranked');
    this.fill(
      shown.map(({ index }) => index),
      items,
      asPictures,
    );
    shown.forEach(({ similarity }, i) => {
      this.cards[i].similarity.textContent = similarity.toFixed(3);
    });
    return shown
      .slice(0, 3)
      .map(({ index, similarity }) => `${items[index].name} (${similarity.toFixed(2)})`)
      .join(', ');
  }

  private fill(indices: readonly number[], items: readonly GalleryItem[], asPictures: boolean): void {
    const slots: Slot[] = [];
    this.cards.forEach(({ view, name, similarity }, i) => {
      view.replaceChildren();
      name.textContent = similarity.textContent = '';
      if (i >= indices.length) return;
      const item = items[indices[i]];
      name.textContent = item.name;
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-label', `${asPictures ? 'Picture' : '3D object'}: ${item.name}. Search with it`);
      button.onclick = () => this.pick(indices[i]);
      view.append(button);
      if (!asPictures && this.stage) {
        slots.push({ element: view, cloud: item.cloud });
        return;
      }
      const canvas = button.appendChild(document.createElement('canvas'));
      if (asPictures && item.picture) paintPicture(canvas, item.picture);
      else paintCloud(canvas, item.cloud);
    });
    this.stage?.show(slots);
  }
}

/** Without WebGL the clouds do not rotate. */
function openStage(canvas: HTMLCanvasElement): CloudStage | null {
  try {
    return new CloudStage(canvas);
  } catch {
    return null;
  }
}
