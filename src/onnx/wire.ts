/**
 * Protocol Buffers' wire format, as far as ONNX needs it written: a message is its fields, one after the other.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** The bytes of its parts, one after the other: a message from its fields. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

/** Seven bits per byte, the lowest first; numbers below zero as their two's complement of 64 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
}

/** The number of a field and how it is stored: 0 varint, 2 length and bytes, 5 four bytes. */
const tag = (field: number, kind: 0 | 2 | 5) => varint((field << 3) | kind);

/** A whole number, of the types int32, int64 and enum. */
export const integer = (field: number, value: number): Uint8Array => join(tag(field, 0), varint(value));

export const float = (field: number, value: number): Uint8Array =>
  join(tag(field, 5), new Uint8Array(Float32Array.of(value).buffer));

/** Bytes, or the fields of a message. */
export const bytes = (field: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return join(tag(field, 2), varint(length), ...parts);
};

export const text = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));
