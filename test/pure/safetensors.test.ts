/** The file format of weights: bit-exact round trips, and a RomoError for every broken file. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromHalves, halfToNumber, toHalves } from '../../src/files/half.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorEntry } from '../../src/files/safetensors.ts';
import { RomoError } from '../../src/tensor/error.ts';

const test = suite('safetensors');

const entry: fc.Arbitrary<SafetensorEntry> = fc
  .record({
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    dtype: fc.constantFrom('f32' as const, 'i32' as const, 'u32' as const),
    seed: fc.integer(),
  })
  .map(({ shape, dtype, seed }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const bits = Int32Array.from({ length: size }, (_, i) => Math.imul(seed + i, 0x9e3779b1));
    if (dtype === 'i32') return { shape, dtype, data: bits };
    if (dtype === 'u32') return { shape, dtype, data: new Uint32Array(bits.buffer) };
    return { shape, dtype, data: new Float32Array(bits.buffer) };
  });
const name = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', '10', '9', 'layer1.0.weight', '"\\'),
);
const tensorsOf = fc.uniqueArray(fc.tuple(name, entry), { selector: ([key]) => key, maxLength: 6 });
const metadataOf = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme' })), {
  selector: ([key]) => key,
  maxLength: 3,
});

/** An object without a prototype, so that `__proto__` is a key like any other. */
function objectOf<T>(pairs: readonly (readonly [string, T])[]): Record<string, T> {
  const result: Record<string, T> = Object.create(null);
  for (const [key, value] of pairs) result[key] = value;
  return result;
}

const bytesOf = ({ data }: SafetensorEntry) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

test('what is written is read back, with the same bits', () => {
  fc.assert(
    fc.property(tensorsOf, metadataOf, (pairs, notes) => {
      const { tensors, metadata } = decodeSafetensors(encodeSafetensors(objectOf(pairs), objectOf(notes)), 'memory');
      assert.equal(Object.keys(tensors).sort(), pairs.map(([key]) => key).sort());
      for (const [key, written] of pairs) {
        assert.equal(tensors[key].shape, written.shape);
        assert.is(tensors[key].dtype, written.dtype);
        assert.is(bytesOf(tensors[key]), bytesOf(written));
      }
      assert.equal(Object.entries(metadata).sort(), [...notes].sort());
    }),
  );
});

test('the bytes do not depend on the order in which tensors were added', () => {
  fc.assert(
    fc.property(tensorsOf, metadataOf, (pairs, notes) => {
      const forward = encodeSafetensors(objectOf(pairs), objectOf(notes));
      const backward = encodeSafetensors(objectOf([...pairs].reverse()), objectOf([...notes].reverse()));
      assert.is(Buffer.compare(forward, backward), 0);
      const headerBytes = Number(new DataView(forward.buffer).getBigUint64(0, true));
      assert.is(headerBytes % 8, 0);
      assert.is(forward[8], '{'.charCodeAt(0));
    }),
  );
});

/** A file with a given header, for files that the writer rejects. */
function fileOf(header: unknown, data: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

const single = (dtype: string, shape: unknown, data: Uint8Array) =>
  decodeSafetensors(fileOf({ t: { dtype, shape, data_offsets: [0, data.length] } }, data), 'f.safetensors').tensors.t;

test('other dtypes are converted', () => {
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer);
  const wide = single('I64', [3], bytes(BigInt64Array.of(-1n, 2147483647n, -2147483648n)));
  assert.equal([...wide.data], [-1, 2147483647, -2147483648]);
  assert.is(wide.dtype, 'i32');
  assert.throws(() => single('I64', [1], bytes(BigInt64Array.of(2147483648n))), /does not fit into 32 bits/);
  assert.equal([...single('F64', [2], bytes(Float64Array.of(0.1, -3))).data], [Math.fround(0.1), -3]);
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0x3555);
  assert.equal(
    [...single('F16', [7], bytes(halves)).data],
    [1, -2, 65504, 2 ** -24, -0, Number.POSITIVE_INFINITY, 0.333251953125],
  );
  assert.equal([...single('BF16', [3], bytes(Uint16Array.of(0x3f80, 0xc040, 0x3eab))).data], [1, -3, 0.333984375]);
});

test('a Buffer from Node, which shares memory when sliced, reads the same', () => {
  const file = encodeSafetensors({ t: { shape: [2], dtype: 'f32', data: Float32Array.of(1.5, -2) } });
  const shifted = Buffer.concat([Buffer.of(0), file]).subarray(1);
  const { t } = decodeSafetensors(shifted, 'memory').tensors;
  assert.equal([...t.data], [1.5, -2]);
  shifted.fill(0);
  assert.equal([...t.data], [1.5, -2]);
});

test('a scalar has the empty shape', () => {
  const { tensors } = decodeSafetensors(
    encodeSafetensors({ step: { shape: [], dtype: 'i32', data: Int32Array.of(7) } }),
    'memory',
  );
  assert.equal(tensors.step.shape, []);
  assert.equal([...tensors.step.data], [7]);
});

test('each defect is named, with the file', () => {
  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  const at = (begin: unknown, end: unknown, shape: unknown = [1]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /it has 3 bytes/],
    [Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123), /18446744073709551615 bytes/],
    [fileOf({ a: at(0, 4) }, four).subarray(0, 30), /header should have/],
    [fileOf('{"a":', four), /not JSON/],
    [fileOf('[1]', four), /not a JSON object/],
    [fileOf({ a: 3 }, four), /entry of "a"/],
    [fileOf({ a: at(0, 8) }, four), /bytes 0 to 8, but there are 4/],
    [fileOf({ a: at(4, 0) }, four), /bytes 4 to 0/],
    [fileOf({ a: at(-4, 0) }, four), /data_offsets \[-4,0\]/],
    [fileOf({ a: at(0, 4, [2]) }, four), /\[2\] of F32 needs 8 bytes/],
    [fileOf({ a: at(0, 4, [0.25, 4]) }, four), /shape \[0.25,4\]/],
    [fileOf({ a: at(0, 4, [2 ** 30, 2 ** 30]) }, four), /shape/],
    [fileOf({ a: at(0, 4), b: at(0, 4) }, four), /inside another tensor/],
    [fileOf({ a: at(4, 8) }, eight), /bytes 0 to 4, before "a", are unused/],
    [fileOf({ a: at(0, 4) }, eight), /end at byte 4 of 8/],
    [fileOf({ a: { ...at(0, 4), dtype: 'F8_E5M2' } }, four), /dtype "F8_E5M2"/],
    [fileOf({ a: { ...at(0, 4), dtype: 'toString' } }, four), /dtype "toString"/],
    [fileOf({ __metadata__: { note: 3 } }, new Uint8Array(0)), /"note" is not a string/],
  ];
  for (const [file, message] of cases) {
    try {
      decodeSafetensors(file, 'broken.safetensors');
      assert.unreachable(`no error for ${message}`);
    } catch (error) {
      assert.instance(error, RomoError);
      assert.match((error as RomoError).message, message);
      assert.match((error as RomoError).message, 'broken.safetensors');
    }
  }
});

test('the writer refuses data that do not fit their shape', () => {
  const data = new Float32Array(3);
  assert.throws(() => encodeSafetensors({ a: { shape: [2, 2], dtype: 'f32', data } }), /Pass 4 values as Float32Array/);
  assert.throws(() => encodeSafetensors({ a: { shape: [3], dtype: 'i32', data } }), /Pass 3 values as Int32Array/);
  assert.throws(() => encodeSafetensors({ __metadata__: { shape: [3], dtype: 'f32', data } }), /another name/);
});

test('a damaged file is read or answered with a RomoError, never anything else', () => {
  const edit = fc.record({ at: fc.nat(), value: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'remove', 'cut') });
  fc.assert(
    fc.property(tensorsOf, metadataOf, fc.array(edit, { minLength: 1, maxLength: 4 }), (pairs, notes, edits) => {
      let bytes = [...encodeSafetensors(objectOf(pairs), objectOf(notes))];
      for (const { at, value, kind } of edits) {
        const position = at % (bytes.length + 1);
        if (kind === 'set' && position < bytes.length) bytes[position] = value;
        if (kind === 'insert') bytes.splice(position, 0, value);
        if (kind === 'remove') bytes.splice(position, 1);
        if (kind === 'cut') bytes = bytes.slice(0, position);
      }
      try {
        decodeSafetensors(Uint8Array.from(bytes), 'damaged.safetensors');
      } catch (error) {
        assert.instance(error, RomoError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('f16: the nearest half, of two equally near the even one', () => {
  const every = Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
  assert.equal(
    [...toHalves(every)].filter((bits, i) => bits !== i && !Number.isNaN(every[i])),
    [],
  );
  assert.ok(Number.isNaN(halfToNumber(toHalves(Float32Array.of(Number.NaN))[0])));
  const bitsOf = (value: number) => toHalves(Float32Array.of(value))[0];
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [every[bits], every[bits + 1]];
    const middle = (low + high) / 2; // exact in f32
    const step = (high - low) / 1024;
    for (const sign of [0, 0x8000]) {
      const signed = (value: number) => bitsOf(sign ? -value : value) - sign;
      assert.equal([signed(middle - step), signed(middle + step)], [bits, bits + 1]);
      assert.is(signed(middle), bits % 2 === 0 ? bits : bits + 1);
    }
  }
  assert.equal([65519.99, 65520, 1e30, 2 ** -25, 2 ** -26].map(bitsOf), [0x7bff, 0x7c00, 0x7c00, 0, 0]);
  const data = Float32Array.of(0.1, -3, 70_000 / 2, 0);
  const { tensors } = decodeSafetensors(encodeSafetensors({ x: { shape: [2, 2], dtype: 'f16', data } }), 'a file');
  assert.equal(tensors.x, { shape: [2, 2], dtype: 'f32', data: Float32Array.of(0.0999755859375, -3, 35008, 0) });
});

test('halves become numbers within the same memory', () => {
  const halves = Uint16Array.from({ length: 10 }, (_, i) => 0x3c00 + i);
  const memory = new ArrayBuffer(40);
  new Uint16Array(memory, 20).set(halves);
  const out = new Float32Array(memory);
  fromHalves(new Uint16Array(memory, 20, 10), out);
  assert.equal([...out], [...halves].map(halfToNumber));
});

test.run();
