/** Small things that every page does. */

/** The element with that id; the page is broken without it. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Shows what browsers have WebGPU, in place of the page's own parts. */
export function showNoWebGpu(reason: string): void {
  element('app').hidden = true;
  element('no-webgpu-reason').textContent = reason;
  element('no-webgpu').hidden = false;
}

/** False, with the explanation shown, where the browser has no WebGPU at all. */
export function hasWebGpu(): boolean {
  if ('gpu' in navigator && navigator.gpu) return true;
  showNoWebGpu(
    window.isSecureContext
      ? 'It does not know WebGPU.'
      : 'The page did not come from a secure address (https or localhost).',
  );
  return false;
}

/** What went wrong, in words; RomoErrors end with the way out. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A message over the page, so that nothing moves; an empty one takes it away. */
export function tell(text: string): void {
  const place = element('message');
  const [words, close] = place.children as unknown as [HTMLElement, HTMLButtonElement];
  place.hidden = text === '';
  words.textContent = text;
  close.onclick = () => tell('');
}

/** A colour of the style sheet as it is now, in light or dark. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `change` whenever the page turns light or dark. */
export function onThemeChange(change: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', change);
}

export const wantsStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Hands a file to the visitor. */
export function download(bytes: Uint8Array, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes as BlobPart]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
