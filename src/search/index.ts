/** What embeds, and what searches: exact search on the GPU, galleries of files, conditions on metadata. */
export * from '../encoders.ts';
export { type Answers, type Blocks, ExactIndex, searchBlocks } from './exact.ts';
export { type GalleryReader, readGallery } from './files/gallery_reader.ts';
export { formatFilter, matches, parseFilter } from './filter.ts';
export type {
  Answer,
  Entry,
  Filter,
  Gallery,
  GalleryInfo,
  Metadata,
  Modality,
  ModelStamp,
  SearchOptions,
} from './gallery.ts';
