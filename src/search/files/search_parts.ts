/** Exact search in the parts of a gallery. */
import { RomoError } from '../../tensor/error.ts';
import { searchBlocks } from '../exact.ts';
import { matches } from '../filter.ts';
import type { Answer, SearchOptions } from '../gallery.ts';
import { byRank } from '../rank.ts';
import { checkVectors } from '../vectors.ts';
import type { Label } from './manifest.ts';
import type { Resident } from './resident.ts';
import { type Chosen, labelAt, type StoredPart } from './stored_part.ts';

/** Answers requested beyond `top`, to see whether the last one ties with others that come before it by id. */
const SPARE = 8;

/** See `Gallery.search`. @param queries [Q, dimension], unit rows */
export async function searchParts(
  resident: Resident,
  parts: readonly StoredPart[],
  dimension: number,
  queries: Float32Array,
  { top, modality, source, where }: SearchOptions,
): Promise<Answer[][]> {
  if (!Number.isInteger(top) || top < 1) {
    throw new RomoError('shape', `search: top is ${top}`, 'Ask for at least one answer.');
  }
  checkVectors('a query', queries, dimension);
  const passes = (label: Label): boolean =>
    (modality === undefined || label.modality === modality) &&
    (source === undefined || label.source === source) &&
    (where === undefined || matches(where, label.metadata));
  const key = JSON.stringify([modality, source, where]);
  const chosen = parts.flatMap((part) => part.select(key, passes));
  const count = queries.length / dimension;
  for (let asked = top + SPARE; ; asked *= 2) {
    const { scores, rows } = await searchBlocks(resident.gpu, () => resident.read(chosen), dimension, queries, asked);
    const isOpen = (query: number) => {
      const last = query * asked + asked - 1;
      return rows[last] >= 0 && scores[last] === scores[query * asked + top - 1];
    };
    const all = Array.from({ length: count }, (_, query) => query);
    if (all.some(isOpen)) continue;
    return all.map((query) => {
      const found: Answer[] = [];
      for (let i = query * asked; i < (query + 1) * asked && rows[i] >= 0; i++) {
        const { hash: _, ...label } = labelOf(chosen, rows[i]);
        found.push({ ...label, similarity: scores[i] });
      }
      return found.sort(byRank).slice(0, top);
    });
  }
}

/** The label of row `number`, counted through all chosen rows. */
function labelOf(chosen: readonly Chosen[], number: number): Label {
  let place = 0;
  let row = number;
  while (row >= chosen[place].rows.length) {
    row -= chosen[place].rows.length;
    place++;
  }
  return labelAt(chosen[place], row);
}
