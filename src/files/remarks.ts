/** What readers do to files beyond reading them. A data set says it once, with totals. */

/** `1 object`, `2 objects`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** One sentence per kind, from the total and the number of files. */
const SENTENCES = {
  /** points left out, see holes.ts */
  holes: (total: number, files: number) => `${counted(total, 'hole')} left out in ${counted(files, 'cloud')}`,
  decimalCommas: (_: number, files: number) => `decimal commas read in ${counted(files, 'file')}`,
  channelsFirst: (_: number, files: number) => `${counted(files, 'cloud')} stored as [3, points] turned to [points, 3]`,
  extensions: (_: number, files: number) =>
    `unknown extensions passed over in ${counted(files, 'glTF file')}, whose shapes may differ`,
  pose: (_: number, files: number) => `skins and morph targets ignored in ${counted(files, 'file')}`,
};

/** Counts by kind of remark, for one file. */
export type Remarks = Readonly<Partial<Record<keyof typeof SENTENCES, number>>>;

/** The remarks on all files of a set, one sentence per kind. */
export function summarize(all: readonly Remarks[]): string[] {
  return Object.entries(SENTENCES).flatMap(([kind, sentence]) => {
    const counts = all.map((remarks) => remarks[kind as keyof Remarks] ?? 0).filter((count) => count > 0);
    return counts.length > 0
      ? [
          sentence(
            counts.reduce((sum, count) => sum + count),
            counts.length,
          ),
        ]
      : [];
  });
}
