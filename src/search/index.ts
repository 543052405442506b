/** Encoders, exact search on the GPU, galleries in files, and filters on metadata. */
export * from '../encoders.ts';
export { type Answers, type Blocks, ExactIndex, type Selection, searchBlocks } from './exact.ts';
export { type GalleryReader, readGallery } from './files/gallery_reader.ts';
export { formatFilter, matches, parseFilter } from './filter.ts';
export type {
  Answer,
  Entry,
  Filter,
  Gallery,
  GalleryInfo,
  GallerySource,
  Metadata,
  Modality,
  ModelStamp,
  Numbers,
  SearchOptions,
} from './gallery.ts';
