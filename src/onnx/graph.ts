/**
 * ONNX models: a graph of ops, with the weights that they read. The numbers of the fields are those of the specification:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { bytes, float, integer, join, text } from './wire.ts';

/**
 * Version of the operators. Only those are used whose form is the same from version 13 to the newest, so that runtimes
 * and checkers older than the version can read the models too.
 */
const OPSET = 21;
/** Version of the file format: the oldest in which such graphs are defined. */
const IR_VERSION = 8;

const FLOAT = 1;
const INT64 = 7;
/** TensorProto.DataType of a double, which `Cast` takes. */
export const DOUBLE = 11;

/** Length of an axis; a name stands for one that varies from call to call. */
export type Length = number | string;

/** Values of an op's attribute: a whole number or several, or a real number. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** AttributeProto: name 1, f 2, i 3, ints 8, type 20 (FLOAT 1, INT 2, INTS 7). */
function attribute([name, value]: [string, Attribute]): Uint8Array {
  if (typeof value === 'number') return join(text(1, name), integer(3, value), integer(20, 2));
  if ('float' in value) return join(text(1, name), float(2, value.float), integer(20, 1));
  return join(text(1, name), ...value.map((each) => integer(8, each)), integer(20, 7));
}

/** ValueInfoProto: name 1, type 2; its tensor_type 1: elem_type 1, shape 2; its dim 1: dim_value 1 or dim_param 2. */
function valueInfo(name: string, shape: readonly Length[]): Uint8Array {
  const axes = shape.map((length) => bytes(1, typeof length === 'number' ? integer(1, length) : text(2, length)));
  return join(text(1, name), bytes(2, bytes(1, integer(1, FLOAT), bytes(2, ...axes))));
}

/** A graph under construction. Values are known by their names. */
export class Graph {
  private readonly nodes: Uint8Array[] = [];
  private readonly initializers: Uint8Array[] = [];
  private inputs: Uint8Array[] = [];
  private count = 0;

  /** Declares an input of f32. */
  input(name: string, shape: readonly Length[]): string {
    this.inputs.push(valueInfo(name, shape));
    return name;
  }

  /** A constant tensor. TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
  constant(name: string, data: Float32Array | BigInt64Array, shape: readonly number[]): string {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const type = integer(2, data instanceof Float32Array ? FLOAT : INT64);
    this.initializers.push(join(...shape.map((length) => integer(1, length)), type, text(8, name), bytes(9, raw)));
    return name;
  }

  /** Whole numbers that an op takes as an input: axes, lengths. */
  wholes(...values: readonly number[]): string {
    return this.constant(`wholes${this.count++}`, BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** Adds an op with one output, and returns the output's name. */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodeOf(op, inputs, attributes, 1)[0];
  }

  /** Adds an op with several outputs. NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. */
  nodeOf(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: number,
  ): string[] {
    const name = `${op}${this.count++}`;
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}.${i}`));
    this.nodes.push(
      join(
        ...inputs.map((input) => text(1, input)),
        ...names.map((output) => text(2, output)),
        text(3, name),
        text(4, op),
        ...Object.entries(attributes).map((entry) => bytes(5, attribute(entry))),
      ),
    );
    return names;
  }

  /**
   * The bytes of a model whose output, called `embedding`, is the value `output`.
   * ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 (version 2), metadata_props 14 (key 1, value 2).
   * GraphProto: node 1, name 2, initializer 5, input 11, output 12.
   */
  encode(
    name: string,
    output: string,
    shape: readonly Length[],
    metadata: Readonly<Record<string, string>>,
  ): Uint8Array {
    this.nodes.push(join(text(1, output), text(2, 'embedding'), text(3, 'embedding'), text(4, 'Identity')));
    return join(
      integer(1, IR_VERSION),
      text(2, 'romo'),
      bytes(
        7,
        ...this.nodes.map((node) => bytes(1, node)),
        text(2, name),
        ...this.initializers.map((tensor) => bytes(5, tensor)),
        ...this.inputs.map((input) => bytes(11, input)),
        bytes(12, valueInfo('embedding', shape)),
      ),
      bytes(8, integer(2, OPSET)),
      ...Object.entries(metadata).map(([key, value]) => bytes(14, text(1, key), text(2, value))),
    );
  }
}
