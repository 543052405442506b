/** Text that Postgres can store: without U+0000 and without lone surrogates, which UTF-8 cannot encode. */
import { RomoError } from '../../tensor/error.ts';

const HALF = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

export const isStorable = (text: string): boolean => !text.includes('\0') && !HALF.test(text);

/** @throws RomoError `gallery` if Postgres cannot store the text */
export function checkText(what: string, text: string): void {
  if (isStorable(text)) return;
  const shown = JSON.stringify(text).slice(0, 80);
  throw new RomoError('gallery', `${what} holds a character that Postgres cannot store: ${shown}`, 'Replace it.');
}
