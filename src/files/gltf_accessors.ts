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
const WIDTH = { SCALAR: 1, VEC3: 3, VEC4: 4 } as const;

interface View {
  readonly bytes: Uint8Array;
  readonly stride: number;
}

export class GltfAccessors {
  private readonly accessors: readonly unknown[];
  private readonly views: readonly unknown[];
  private readonly buffers: readonly unknown[];
  /** decoded buffers by index */
  private readonly decoded = new Map<number, Uint8Array>();

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
   * @returns [count, 3 or 4] for vectors, [count] for SCALAR
   */
  read(index: unknown, type: keyof typeof WIDTH, limit = Number.POSITIVE_INFINITY): Float32Array | Uint32Array {
    const { json } = this;
    const what = `accessor ${String(index)}`;
    const accessor = json.object(this.accessors[json.count(index, 'the index of an accessor')], what);
    if (accessor.type !== type) throw json.wrong(accessor.type, `the type of ${what}`);
    const component = this.component(accessor.componentType, what);
    const width = WIDTH[type];
    const count = json.count(accessor.count, `the count of ${what}`);
    if (accessor.bufferView === undefined && accessor.sparse === undefined) {
      throw badFile(json.name, `${what} has no data`, 'Export it without compression and extensions.');
    }
    const begin = json.count(accessor.byteOffset, `the offset of ${what}`, 0);
    const stored =
      accessor.bufferView === undefined ? null : this.values(accessor.bufferView, begin, component, width, count, what);
    // Positions, and three indices per strip index. Each list doubles when full and is copied once at the end.
    this.budget -= 96 * count;
    if (this.budget < 0)
      throw badFile(json.name, 'its instances expand to more than 64 times the file size', 'Split the scene.');
    const result = type === 'SCALAR' ? new Uint32Array(count) : new Float32Array(width * count);
    const scale = accessor.normalized === true ? 1 / (ONE[component] ?? 1) : 1;
    const convert = (value: number) =>
      type === 'SCALAR' ? value : Math.max(value * scale, accessor.normalized === true ? -1 : value);
    if (stored) for (let i = 0; i < result.length; i++) result[i] = convert(stored(i));
    if (accessor.sparse !== undefined) this.replace(result, accessor.sparse, component, width, what, convert);
    for (const value of result) {
      if (value >= limit) throw badFile(json.name, `a face uses vertex ${value} of ${limit}`);
    }
    return result;
  }

  /** Replaces the vectors that a sparse accessor lists. Without a bufferView, all others are zero. */
  private replace(
    result: Float32Array | Uint32Array,
    sparse: unknown,
    component: ScalarName,
    width: number,
    what: string,
    convert: (value: number) => number,
  ): void {
    const { json } = this;
    const part = json.object(sparse, `sparse of ${what}`);
    const [indices, values] = [part.indices, part.values].map((value) => json.object(value, `sparse of ${what}`));
    const count = json.count(part.count, `the sparse count of ${what}`);
    const beginOf = ({ byteOffset }: JsonObject) => json.count(byteOffset, `the sparse offset of ${what}`, 0);
    const type = this.component(indices.componentType, what);
    const at = this.values(indices.bufferView, beginOf(indices), type, 1, count, what);
    const vector = this.values(values.bufferView, beginOf(values), component, width, count, what);
    for (let i = 0; i < count; i++) {
      if (!((at(i) + 1) * width <= result.length)) throw badFile(json.name, `${what} replaces value ${at(i)}`);
      for (let k = 0; k < width; k++) result[at(i) * width + k] = convert(vector(i * width + k));
    }
  }

  private component(code: unknown, what: string): ScalarName {
    const component = COMPONENTS[this.json.count(code, `the component type of ${what}`)];
    if (!component) throw this.json.wrong(code, `the component type of ${what}`);
    return component;
  }

  /** The numbers of a bufferView by index, after a check that it has all of them. */
  private values(
    bufferView: unknown,
    begin: number,
    component: ScalarName,
    width: number,
    count: number,
    what: string,
  ): (i: number) => number {
    const { bytes, get } = SCALARS[component];
    const data = this.view(bufferView);
    const stride = data.stride || width * bytes;
    if (count > 0 && begin + stride * (count - 1) + width * bytes > data.bytes.length) {
      throw badFile(this.json.name, `${what} extends beyond its data`);
    }
    const view = viewOf(data.bytes);
    return (i) => get(view, begin + stride * Math.floor(i / width) + bytes * (i % width), true);
  }

  private view(index: unknown): View {
    const { json } = this;
    const what = `bufferView ${String(index)}`;
    const view = json.object(this.views[json.count(index, 'the index of a bufferView')], what);
    const buffer = this.buffer(json.count(view.buffer, `the buffer of ${what}`));
    const begin = json.count(view.byteOffset, `the offset of ${what}`, 0);
    const length = json.count(view.byteLength, `the length of ${what}`);
    if (begin + length > buffer.length) throw badFile(json.name, `${what} extends beyond the end of its data`);
    const stride = json.count(view.byteStride, `the stride of ${what}`, 0);
    return { bytes: buffer.subarray(begin, begin + length), stride };
  }

  /** The binary chunk, or the data in the address of a buffer. */
  private buffer(index: number): Uint8Array {
    const { json, decoded } = this;
    const known = decoded.get(index);
    if (known) return known;
    const { uri } = json.object(this.buffers[index], `buffer ${index}`);
    if (uri === undefined && index === 0) return this.binary;
    if (uri === undefined) throw badFile(json.name, `buffer ${index} has no data`, 'Export it without compression.');
    if (typeof uri !== 'string' || !uri.startsWith('data:')) {
      throw badFile(json.name, 'its data are stored in another file', 'Export it as a single GLB file.');
    }
    const [, base64] = /^data:[^,]*;base64,(.*)$/s.exec(uri) ?? [];
    try {
      const bytes = Uint8Array.from(atob(base64 ?? '-'), (character) => character.charCodeAt(0));
      decoded.set(index, bytes);
      return bytes;
    } catch {
      throw badFile(json.name, `the data: address of buffer ${index} is not base64`);
    }
  }
}
