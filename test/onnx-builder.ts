// Small ONNX models by hand: protobuf fields by their numbers in onnx.proto.
import { encodeField, encodeNumber, encodeText } from '../src/contract/onnx/wire.ts';

export type Part = Uint8Array[];

export const FLOAT = 1;
export const INT64 = 7;
export const STRING = 8;
export const BOOL = 9;
export const FLOAT16 = 10;
export const BFLOAT16 = 16;

const message = (number: number, ...parts: Part[]): Part => encodeField(number, parts.flat());
const text = (number: number, value: string): Part => encodeText(number, value);
const varint = (number: number, value: number): Part => [encodeNumber(number, value)];

/** A graph input or output; -1 for a free dimension; no shape for `undefined`. */
export function value(field: 11 | 12, name: string, type: number, shape: readonly number[] | undefined): Part {
  const dims = shape?.flatMap((size) => message(1, size < 0 ? [] : varint(1, size)));
  return message(
    field,
    text(1, name),
    message(2, message(1, varint(1, type), dims === undefined ? [] : message(2, dims))),
  );
}

/** An output that is a sequence of tensors. */
export function sequenceOutput(name: string): Part {
  return message(12, text(1, name), message(2, message(4, message(1, message(1, varint(1, FLOAT))))));
}

export function initializer(name: string, dims: readonly number[], values: readonly number[]): Part {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return message(5, ...dims.map((size) => varint(1, size)), varint(2, FLOAT), text(8, name), encodeField(9, [raw]));
}

/** Float weights in a file of their own. */
export function externalInitializer(name: string, dims: readonly number[], location: string, length: number): Part {
  const entry = (key: string, content: string) => message(13, text(1, key), text(2, content));
  return message(
    5,
    ...dims.map((size) => varint(1, size)),
    varint(2, FLOAT),
    text(8, name),
    entry('location', location),
    entry('offset', '0'),
    entry('length', String(length)),
    varint(14, 1),
  );
}

export function intAttribute(name: string, content: number): Part {
  return message(5, text(1, name), varint(3, content), varint(20, 2));
}

export function textAttribute(name: string, content: string): Part {
  return message(5, text(1, name), text(4, content), varint(20, 3));
}

export function textsAttribute(name: string, contents: readonly string[]): Part {
  return message(5, text(1, name), ...contents.map((content) => text(9, content)), varint(20, 8));
}

export function graphAttribute(name: string, graph: readonly Part[]): Part {
  return message(5, text(1, name), message(6, text(2, name), ...graph), varint(20, 5));
}

export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Part = [],
  domain = '',
): Part {
  return message(
    1,
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    attributes,
    domain === '' ? [] : text(7, domain),
  );
}

export function model(
  graph: readonly Part[],
  options: { opset?: number; ir?: number; domains?: readonly string[] } = {},
): Uint8Array {
  const opset = [
    ...message(8, text(1, ''), varint(2, options.opset ?? 17)),
    ...(options.domains ?? []).flatMap((domain) => message(8, text(1, domain), varint(2, 1))),
  ];
  return new Uint8Array(
    Buffer.concat([...varint(1, options.ir ?? 8), ...opset, ...message(7, text(2, 'g'), ...graph)]),
  );
}

/** Counts to n, one by one: n [1, 1] int64, y [1] float. With a large n a run of it does not end in anyone's lifetime. */
export function counting(): Uint8Array {
  const body = [
    value(11, 'i', INT64, []),
    value(11, 'go', BOOL, []),
    value(11, 'sum', FLOAT, [1]),
    value(12, 'go_on', BOOL, []),
    value(12, 'more', FLOAT, [1]),
    node('Identity', ['go'], ['go_on']),
    node('Add', ['sum', 'one'], ['more']),
  ];
  return model([
    value(11, 'n', INT64, [1, 1]),
    value(12, 'y', FLOAT, [1]),
    initializer('zero', [1], [0]),
    initializer('one', [1], [1]),
    node('Squeeze', ['n'], ['count']),
    node('Loop', ['count', '', 'zero'], ['y'], graphAttribute('body', body)),
  ]);
}

/** y = x · w with x [rows, 2], w [2, 2]. */
export function linear(weights: Part): Uint8Array {
  return model([
    value(11, 'x', FLOAT, [-1, 2]),
    value(12, 'y', FLOAT, [-1, 2]),
    weights,
    node('MatMul', ['x', 'w'], ['y']),
  ]);
}
