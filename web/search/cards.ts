/** The result cards. Their places are there from the start, so that nothing moves when an answer comes. */
import { paintCloud, paintPicture } from '../shared/thumbnails.ts';
import { CloudStage, type Slot } from './clouds.ts';
import type { GalleryItem } from './gallery.ts';
import type { Match } from './worker.ts';

const SHOWN = 12;

export class Cards {
  private readonly cards: { view: HTMLElement; name: HTMLElement; similarity: HTMLElement }[] = [];
  private readonly stage: CloudStage | null;

  constructor(list: HTMLElement, canvas: HTMLCanvasElement) {
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

  /** Spares the GPU while it searches. */
  rest(isResting: boolean): void {
    this.stage?.rest(isResting);
  }

  clear(): void {
    this.stage?.show([]);
    for (const { view, name, similarity } of this.cards) {
      view.replaceChildren();
      name.textContent = similarity.textContent = '';
    }
  }

  /** @returns the first three in words */
  show(matches: readonly Match[], items: readonly GalleryItem[], asPictures: boolean): string {
    this.clear();
    const slots: Slot[] = [];
    matches.slice(0, SHOWN).forEach(({ index, similarity }, i) => {
      const card = this.cards[i];
      const { name, picture, cloud } = items[index];
      card.name.textContent = name;
      card.similarity.textContent = similarity.toFixed(3);
      if (!asPictures && this.stage) slots.push({ element: card.view, cloud });
      else {
        const canvas = document.createElement('canvas');
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', asPictures ? `Picture of a ${name}` : `Cloud of ${name}`);
        if (asPictures && picture) paintPicture(canvas, picture);
        else paintCloud(canvas, cloud);
        card.view.append(canvas);
      }
    });
    this.stage?.show(slots);
    const words = matches.slice(0, 3).map(({ index, similarity }) => `${items[index].name} ${similarity.toFixed(2)}`);
    return words.join(', ');
  }
}

/** Without WebGL the clouds stand still. */
function openStage(canvas: HTMLCanvasElement): CloudStage | null {
  try {
    return new CloudStage(canvas);
  } catch {
    return null;
  }
}
