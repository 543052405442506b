/** The objects of a collection that `search.js index` is asked for. */
import type { AnySplit, CheckedData, LabelledDataSet, PairedData, Skipped } from '../data/types.ts';
import { contentHash } from '../files/hash.ts';
import type { Metadata } from '../search/gallery.ts';
import { RomoError } from '../tensor/error.ts';

export type SplitChoice = 'train' | 'test' | 'other' | 'all';

/** One object to index. */
export interface Item {
  readonly pairs: PairedData;
  readonly index: number;
  readonly id: string;
  readonly metadata: Metadata;
  /** of content and metadata: it changes when the entries of the object have to be renewed */
  readonly hash: () => Promise<string>;
}

export interface Collection {
  readonly data: LabelledDataSet | CheckedData;
  readonly items: readonly Item[];
  /** all ids that can be read, whether or not they are asked for */
  readonly ids: ReadonlySet<string>;
  /** number of bad objects */
  readonly bad: number;
}

/**
 * @param isRuns whether these are the data of the run: if so, it divides them. A set that neither the run nor its files
 *   divide counts as held out, because nothing of it was trained on, but its entries say nothing of splits.
 * @param name of the data, for messages
 * @throws RomoError `data` if there are no such objects
 */
export function collectionOf(
  data: LabelledDataSet | CheckedData,
  skipped: readonly Skipped[],
  isRuns: boolean,
  { split, train, test }: { readonly split: SplitChoice; readonly train?: number; readonly test?: number },
  name: string,
): Collection {
  const isDivided = isRuns || !('found' in data) || data.found.hasSplit;
  const splits: [SplitChoice, AnySplit][] = [
    ['train', data.train],
    ['test', data.test],
  ];
  if ('found' in data) splits.push(['other', data.others]);
  const most: Readonly<Record<string, number | undefined>> = { train, test };
  const chosen = splits.filter(([of]) => split === 'all' || split === of);
  const items = chosen.flatMap(([of, own]) => itemsOf(own, isDivided ? of : null).slice(0, most[of]));
  if (items.length === 0) throw new RomoError('data', `${name} has no ${split} objects`, 'Choose another --split.');
  const unreadable = new Set(skipped.map(({ id }) => id));
  const ids =
    'found' in data
      ? data.found.ids.filter((id) => !unreadable.has(id))
      : splits.flatMap(([, { pairs }]) => Array.from({ length: pairs.length }, (_, i) => pairs.id(i)));
  return { data, items, ids: new Set(ids), bad: skipped.length };
}

function itemsOf(own: AnySplit & { readonly hashes?: readonly string[] }, split: SplitChoice | null): Item[] {
  const { pairs, labels, hashes } = own;
  return Array.from({ length: pairs.length }, (_, index): Item => {
    const category = labels?.classNames[labels.values[index]];
    const metadata: Metadata = { ...(split && { split }), ...(category !== undefined && { category }) };
    const contentOf = async (): Promise<string> => {
      const [{ image, cloud }] = await pairs.load([index]);
      return contentHash([image, cloud]);
    };
    const hash = async () => contentHash([hashes?.[index] ?? (await contentOf()), JSON.stringify(metadata)]);
    return { pairs, index, id: pairs.id(index), metadata, hash };
  });
}
