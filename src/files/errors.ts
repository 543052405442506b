/** Errors of the file readers: the file, the problem, the fix. */
import { RomoError } from '../tensor/error.ts';

export function badFile(
  name: string,
  what: string,
  fix = 'Copy or export the file again; it may be truncated, damaged or in another format.',
): RomoError {
  return new RomoError('file', `${name}: ${what}`, fix);
}

/** Text from a file for an error message: at most 48 characters, without any that could garble a terminal. */
export function quoted(text: string): string {
  const shown = text.length > 48 ? `${text.slice(0, 48)}...` : text;
  return JSON.stringify(shown.replace(/[^ -~]/g, '?'));
}
