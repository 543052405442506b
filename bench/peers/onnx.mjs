/** Writes ONNX models: the protobuf encoding of the messages that a graph of forward ops needs. */
const FLOAT = 1;
const INT64 = 7;

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, data) => Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
const text = (field, value) => bytes(field, Buffer.from(value));
const float = (field, value) => {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), data]);
};

/** TensorProto: dims = 1, data_type = 2, name = 8, raw_data = 9 */
function tensor(name, data, shape) {
  const type = data instanceof BigInt64Array ? INT64 : FLOAT;
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([...shape.map((length) => number(1, length)), number(2, type), text(8, name), bytes(9, raw)]);
}

/** AttributeProto: name = 1, f = 2, i = 3, ints = 8, type = 20 (FLOAT 1, INT 2, INTS 7). A whole number is an int. */
function attribute([name, value]) {
  if (Array.isArray(value)) return Buffer.concat([text(1, name), ...value.map((i) => number(8, i)), number(20, 7)]);
  if (Number.isInteger(value)) return Buffer.concat([text(1, name), number(3, value), number(20, 2)]);
  return Buffer.concat([text(1, name), float(2, value), number(20, 1)]);
}

/** ValueInfoProto with a tensor type: elem_type = 1, shape = 2 of dim = 1 of dim_value = 1 */
function valueInfo({ name, type = FLOAT, shape }) {
  const dimensions = Buffer.concat(shape.map((length) => bytes(1, number(1, length))));
  return Buffer.concat([text(1, name), bytes(2, bytes(1, Buffer.concat([number(1, type), bytes(2, dimensions)])))]);
}

/** A graph under construction: `node` returns the name of its output. */
export class Graph {
  nodes = [];
  initialisers = [];
  inputs = [];
  count = 0;

  input(name, shape) {
    this.inputs.push({ name, shape });
    return name;
  }

  constant(data, shape, name = `constant${this.count++}`) {
    this.initialisers.push(tensor(name, data, shape));
    return name;
  }

  ints(...values) {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** NodeProto: input = 1, output = 2, op_type = 4, attribute = 5. All outputs but the last have names of their own. */
  node(op, inputs, attributes = {}, outputs = [`${op}${this.count++}`]) {
    const parts = [...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(4, op)];
    parts.push(...Object.entries(attributes).map((entry) => bytes(5, attribute(entry))));
    this.nodes.push(Buffer.concat(parts));
    return outputs.at(-1);
  }

  /**
   * ModelProto: ir_version = 1, graph = 7, opset_import = 8; GraphProto: node = 1, name = 2, initializer = 5, input =
   * 11, output = 12
   */
  model(output, shape, isIndices = false) {
    const graph = Buffer.concat([
      ...this.nodes.map((node) => bytes(1, node)),
      text(2, 'bench'),
      ...this.initialisers.map((data) => bytes(5, data)),
      ...this.inputs.map((input) => bytes(11, valueInfo(input))),
      bytes(12, valueInfo({ name: output, shape, type: isIndices ? INT64 : FLOAT })),
    ]);
    return Buffer.concat([number(1, 9), bytes(7, graph), bytes(8, number(2, 18))]);
  }
}
