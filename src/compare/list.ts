/** The methods by name. */
import { RomoError } from '../tensor/error.ts';
import { KINDS, type Method } from './method.ts';
import * as all from './methods.ts';

const kinds = Object.keys(KINDS);

/** All methods, by kind and then by name. */
export const METHODS: readonly Method[] = (Object.values(all) as Method[]).sort(
  (a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
);

/**
 * The methods that a list names.
 * @param text names separated by commas, or `all`
 * @throws RomoError `option` for a name that is not known
 */
export function methodsNamed(text: string): readonly Method[] {
  if (text === 'all') return METHODS;
  const names = new Set(text.split(',').map((name) => name.trim()));
  for (const name of names) {
    if (METHODS.some((method) => method.name === name)) continue;
    const known = METHODS.map((method) => method.name).join(', ');
    throw new RomoError('option', `--methods: there is no method '${name}'`, `Choose from ${known}, or all.`);
  }
  return METHODS.filter(({ name }) => names.has(name));
}
