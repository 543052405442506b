/** The order of answers, and the counts of collections. */
import { orderOfTexts } from './filter.ts';
import type { Answer, GalleryInfo, GallerySource } from './gallery.ts';

/** Most similar first; ties in the order of ids, then an image before its cloud, then in the order of sources. */
export function byRank(a: Answer, b: Answer): number {
  return (
    b.similarity - a.similarity ||
    orderOfTexts(a.id, b.id) ||
    orderOfTexts(a.modality, b.modality) ||
    orderOfTexts(a.source, b.source)
  );
}

/** The counts of a gallery's collections, sorted, and their sums. */
export function totals(sources: readonly GallerySource[]): Pick<GalleryInfo, 'images' | 'points' | 'sources'> {
  const sum = (name: 'images' | 'points') => sources.reduce((all, source) => all + source[name], 0);
  const sorted = [...sources].sort((a, b) => orderOfTexts(a.source, b.source));
  return { images: sum('images'), points: sum('points'), sources: sorted };
}
