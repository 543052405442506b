/** glTF accessors: numbers in the binary chunk, possibly interleaved and quantised. */
import { badFile } from './errors.ts';
import type { JsonObject, JsonReader } from './json.ts';
import { SCALARS, type ScalarName, viewOf } from './scalars.ts';

const COMPONENTS: Readonly<Record<number, ScalarName>> = {
  5120: 'i1',
  5121: 'u1',
  5122: 'i2',
  5123: 'u2',
  5125: 'u4',
  5126: 'f4',
};
/** The integer that represents 1 in normalised accessors. */
const ONE: Readonly<Partial<Record<ScalarName, number>>> = { i1: 127, u1: 255, i2: 32_767, u2: 65_535 };
const WIDTH = { SCALAR: 1, VEC3: 3 } as const;

export class GltfAccessors {
  private readonly accessors: readonly unknown[];
  private readonly views: readonly unknown[];
  private readonly buffers: readonly unknown[];

  /** @param budget limit on the bytes of all reads together */
  constructor(
    private readonly json: JsonReader,
    document: JsonObject,
    private readonly binary: Uint8Array,
    private budget: number,
  ) {
    this.accessors = json.list(document.accessors, 'accessors');
    this.views = json.list(document.bufferViews, 'bufferViews');
    this.buffers = json.list(document.buffers, 'buffers');
  }

  /**
   * @param index of the accessor
   * @param limit for SCALAR: values are indices and must be below this
   * @returns [count, 3] for VEC3, [count] for SCALAR
   */
  read(index: unknown, type: keyof typeof WIDTH, limit = Number.POSITIVE_INFINITY): Float32Array | Uint32Array {
    const { json } = this;
    const what = `accessor ${String(index)}`;
    const accessor = json.object(this.accessors[json.count(index, 'the index of an accessor')], what);
    if (accessor.type !== type) throw json.wrong(accessor.type, `the type of ${what}`);
    if (accessor.sparse !== undefined || accessor.bufferView === undefined) {
      throw badFile(json.name, `${what} is sparse or empty`, 'Export it without sparse accessors.');
    }
    const component = COMPONENTS[json.count(accessor.componentType, `the component type of ${what}`)];
    if (!component) throw json.wrong(accessor.componentType, `the component type of ${what}`);
    const { bytes, get } = SCALARS[component];
    const width = WIDTH[type];
    const count = json.count(accessor.count, `the count of ${what}`);
    const data = this.view(accessor.bufferView);
    const begin = json.count(accessor.byteOffset, `the offset of ${what}`, 0);
    const stride = data.stride || width * bytes;
    if (count > 0 && begin + stride * (count - 1) + width * bytes > data.bytes.length) {
      throw badFile(json.name, `${what} extends beyond its data`);
    }
    // Positions, and three indices per strip index. Each list doubles when full and is copied once at the end.
    this.budget -= 48 * count;
    if (this.budget < 0)
      throw badFile(json.name, 'its instances expand to more than 64 times the file size', 'Split the scene.');
    const view = viewOf(data.bytes);
    const scale = accessor.normalized === true ? 1 / (ONE[component] ?? 1) : 1;
    const result = type === 'SCALAR' ? new Uint32Array(count) : new Float32Array(width * count);
    for (let i = 0; i < result.length; i++) {
      const at = begin + stride * Math.floor(i / width) + bytes * (i % width);
      const value = get(view, at, true);
      if (value >= limit) throw badFile(json.name, `a face uses vertex ${value} of ${limit}`);
      result[i] = type === 'SCALAR' ? value : Math.max(value * scale, accessor.normalized === true ? -1 : value);
    }
    return result;
  }

  private view(index: unknown): { bytes: Uint8Array; stride: number } {
    const { json } = this;
    const what = `bufferView ${String(index)}`;
    const view = json.object(this.views[json.count(index, 'the index of a bufferView')], what);
    const buffer = json.count(view.buffer, `the buffer of ${what}`);
    const { uri } = json.object(this.buffers[buffer], `buffer ${buffer}`);
    if (buffer !== 0 || uri !== undefined) {
      throw badFile(json.name, 'its data are stored in another file', 'Export it as a single GLB file.');
    }
    const begin = json.count(view.byteOffset, `the offset of ${what}`, 0);
    const length = json.count(view.byteLength, `the length of ${what}`);
    if (begin + length > this.binary.length) throw badFile(json.name, `${what} extends beyond the end of the file`);
    const stride = json.count(view.byteStride, `the stride of ${what}`, 0);
    return { bytes: this.binary.subarray(begin, begin + length), stride };
  }
}
