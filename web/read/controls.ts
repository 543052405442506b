/**
 * Parts of live figures: sliders with their value next to them, SVG, and work that only runs for the latest setting.
 */

const SVG = 'http://www.w3.org/2000/svg';

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly (SVGElement | string)[] = [],
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, `${value}`);
  made.append(...children);
  return made;
}

export interface Slider {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
}

/** Adds sliders to the figure. @returns functions that get and set a value by the slider's index */
export function addSliders(figure: HTMLElement, sliders: readonly Slider[], change: () => void) {
  const row = document.createElement('div');
  row.className = 'controls';
  const inputs = sliders.map(({ label, ...limits }) => {
    const text = document.createElement('label');
    const input = Object.assign(document.createElement('input'), { type: 'range' });
    for (const [name, value] of Object.entries(limits)) input.setAttribute(name, `${value}`);
    const shown = document.createElement('output');
    shown.textContent = input.value;
    input.addEventListener('input', () => {
      shown.textContent = input.value;
      change();
    });
    text.append(label, input, shown);
    row.append(text);
    return { input, shown };
  });
  figure.append(row);
  return {
    value: (index: number) => Number(inputs[index].input.value),
    set(index: number, value: number) {
      inputs[index].input.value = `${value}`;
      inputs[index].shown.textContent = `${value}`;
      change();
    },
  };
}

/** Runs `work` one call at a time; calls made while it runs are merged into one. */
export function latest(work: () => Promise<void>, fail: (error: unknown) => void): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await work().catch(fail);
    } while (again);
    running = false;
  };
  return () => void run();
}

export function addHeading(figure: HTMLElement, text: string): void {
  const heading = document.createElement('h3');
  heading.textContent = text;
  figure.append(heading);
}

export function addCaption(figure: HTMLElement): HTMLElement {
  const caption = document.createElement('figcaption');
  figure.append(caption);
  return caption;
}
