/** Objects as the readers of all data sets return them. */
import type { Remarks } from '../../files/remarks.ts';
import type { Preparation } from '../prepare.ts';

/** An object as it is cached. */
export interface StoredObject {
  /** one picture or several, each [H, W, C] in bytes */
  readonly views: readonly Uint8Array[];
  /** [P, 3], normalised, in random order */
  readonly cloud: Float32Array;
  readonly origin: Origin;
}

/** Properties of an object in its files. */
export interface Origin {
  /** points, or vertices of a mesh */
  readonly points: number;
  readonly triangles: number;
  /** of the picture, in pixels; 0 if rendered */
  readonly width: number;
  readonly height: number;
  /** what the readers left out or changed */
  readonly remarks?: Remarks;
}

/** Options of the readers. */
export interface ReadOptions extends Preparation {
  /** rendered pictures per object */
  readonly views: number;
  /** folder in which rendered pictures and sampled clouds are kept between runs; null for none */
  readonly cacheFolder: string | null;
}

/** Reads the objects of one split. */
export interface ObjectReader {
  /**
   * @param index in the split's plan
   * @throws RomoError `file` with the file and the problem
   */
  read(index: number): Promise<StoredObject>;
  close(): Promise<void>;
}
