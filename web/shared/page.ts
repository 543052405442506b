/** Helpers that all pages share. */

/** The element with this id. @throws Error if there is none, since the page is broken then */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Replaces the page's content by a list of browsers with WebGPU. */
export function showNoWebGpu(reason: string): void {
  element('app').hidden = true;
  element('no-webgpu-reason').textContent = reason;
  element('no-webgpu').hidden = false;
}

/** Does the browser have WebGPU? If not, shows the explanation. */
export function hasWebGpu(): boolean {
  if ('gpu' in navigator && navigator.gpu) return true;
  showNoWebGpu(
    window.isSecureContext
      ? 'It has no WebGPU, or it is switched off.'
      : 'The page was not loaded from a secure address (https or localhost).',
  );
  return false;
}

/** The text of an error; RomoErrors end with a way out. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A failed self-test mentions this page, which examines all kernels. */
const CHECK = 'check.html';

/** Shows a message above the page, so that nothing moves; an empty one hides it. The Check page becomes a link. */
export function tell(text: string): void {
  const place = element('message');
  const [words, close] = place.children as unknown as [HTMLElement, HTMLButtonElement];
  place.hidden = text === '';
  const [before, ...after] = text.split(CHECK);
  words.textContent = before;
  if (after.length > 0) {
    const link = Object.assign(document.createElement('a'), { href: CHECK, textContent: CHECK });
    words.append(link, after.join(CHECK));
  }
  close.onclick = () => tell('');
}

/** The current value of a colour in the style sheet, for the light or the dark theme. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `change` whenever the theme turns light or dark. */
export function onThemeChange(change: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', change);
}

export const wantsStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Offers a file for download. */
export function download(bytes: Uint8Array, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes as BlobPart]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
