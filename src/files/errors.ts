/** How the readers of files complain: the file, what is wrong, the way out. */
import { RomoError } from '../tensor/error.ts';

export function badFile(
  name: string,
  what: string,
  fix = 'Copy or export the file again; it may be cut off, damaged or of another kind.',
): RomoError {
  return new RomoError('file', `${name}: ${what}`, fix);
}

/** What came, for a message: short, and without characters that would garble a terminal. */
export function quoted(text: string): string {
  const shown = text.length > 48 ? `${text.slice(0, 48)}...` : text;
  return JSON.stringify(shown.replace(/[^ -~]/g, '?'));
}
