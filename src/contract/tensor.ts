import { InlayError } from '../error/index.ts';
import { DATATYPES, type Datatype, describeSpec, isFloat, type TensorSpec } from './datatype.ts';

export type TensorData =
  | Float32Array
  | Float64Array
  | Float16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** A tensor's values, row-major: BOOL as 0 and 1, 64-bit integers as BigInt, BYTES as strings. */
export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A nested array of JSON values, as it stands in a request, a sample or a golden case. */
export type Nested = unknown;

/** Bounds of what a datatype holds; beyond them a number would silently become another one. */
const RANGE: Partial<Record<Datatype, readonly [number, number]>> = {
  // Just below the point where rounding to nearest gives infinity (IEEE 754).
  FP16: [-65519.99, 65519.99],
  FP32: [-3.4028235677973362e38, 3.4028235677973362e38],
  FP64: [-Number.MAX_VALUE, Number.MAX_VALUE],
  INT8: [-128, 127],
  UINT8: [0, 255],
  INT16: [-32768, 32767],
  UINT16: [0, 65535],
  INT32: [-2147483648, 2147483647],
  UINT32: [0, 4294967295],
  INT64: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

export function allocate(datatype: Datatype, length: number): TensorData {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(length);
    case 'FP64':
      return new Float64Array(length);
    case 'FP16':
      return new Float16Array(length);
    case 'INT8':
      return new Int8Array(length);
    case 'UINT8':
    case 'BOOL':
      return new Uint8Array(length);
    case 'INT16':
      return new Int16Array(length);
    case 'UINT16':
      return new Uint16Array(length);
    case 'INT32':
      return new Int32Array(length);
    case 'UINT32':
      return new Uint32Array(length);
    case 'INT64':
      return new BigInt64Array(length);
    case 'UINT64':
      return new BigUint64Array(length);
    case 'BYTES':
      return new Array<string>(length).fill('');
  }
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Reads a nested JSON array as the tensor that `spec` promises. Strict: the nesting is the rank, fixed dimensions fit,
 * rows are of one length, values are of the datatype and in its range; nothing is coerced. null is NaN where the spec
 * says that NaN is a missing value.
 * @throws INPUT_INVALID naming the input, what was expected, what came and where
 */
export function parseTensor(spec: TensorSpec, value: Nested): Tensor {
  const shape = shapeOf(spec, value);
  // Before there is room for them: a long first row above many empty ones promises far more values than there are.
  checkLists(spec, shape, value);
  const data = allocate(spec.datatype, elementCount(shape));
  const write = writer(spec, data);
  const index: number[] = [];
  let at = 0;
  const fill = (node: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (Array.isArray(node)) throw refuse(spec, `a deeper list at ${where(index)}`);
      write(node, at++, index);
      return;
    }
    const list = node as readonly unknown[];
    for (let i = 0; i < list.length; i++) {
      index.push(i);
      fill(list[i], depth + 1);
      index.pop();
    }
  };
  fill(value, 0);
  return { datatype: spec.datatype, shape, data };
}

/** Holds all lists against the shape that the first of each depth have. */
function checkLists(spec: TensorSpec, shape: readonly number[], value: unknown): void {
  const index: number[] = [];
  const check = (node: unknown, depth: number): void => {
    if (!Array.isArray(node))
      throw refuse(spec, `${described(node)} at ${where(index)} where a list of ${shape[depth]} should be`);
    if (node.length !== shape[depth]) {
      throw refuse(spec, `ragged lists: ${values(node.length)} at ${where(index)}, ${shape[depth]} in the first`);
    }
    if (depth + 1 === shape.length) return;
    for (let i = 0; i < node.length; i++) {
      index.push(i);
      check(node[i], depth + 1);
      index.pop();
    }
  };
  if (shape.length > 0) check(value, 0);
}

/**
 * A tensor as the one that `spec` promises, by the rules of parseTensor: what numpy has in another width is written anew where
 * each value fits, and NaN needs a spec in which it is a missing value.
 * @throws INPUT_INVALID
 */
export function convertTensor(spec: TensorSpec, tensor: Tensor): Tensor {
  const { shape, data } = tensor;
  if (shape.length !== spec.shape.length || spec.shape.some((size, axis) => size >= 0 && size !== shape[axis]))
    throw refuse(spec, `the shape [${shape.join(', ')}]`);
  if (data.length === 0) throw refuse(spec, 'an empty list');
  if (spec.datatype === tensor.datatype && !isFloat(spec.datatype)) return tensor;
  const converted = allocate(spec.datatype, data.length);
  const write = writer(spec, converted);
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0; at < data.length; at++) {
    const value = tensor.datatype === 'BOOL' ? data[at] === 1 : data[at];
    const plain = typeof value === 'bigint' ? Number(value) : Number.isNaN(value) ? null : value;
    write(plain, at, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return { datatype: spec.datatype, shape, data: converted };
}

/** The nesting of the first element at each depth, held against the spec. */
function shapeOf(spec: TensorSpec, value: unknown): number[] {
  const shape: number[] = [];
  let node = value;
  for (const [depth, size] of spec.shape.entries()) {
    if (!Array.isArray(node)) {
      throw refuse(spec, depth === 0 ? described(node) : `lists nested ${depth} deep, not ${spec.shape.length}`);
    }
    if (node.length === 0) throw refuse(spec, 'an empty list');
    if (size >= 0 && node.length !== size) {
      throw refuse(spec, `${values(node.length)} where ${size} belong (at ${where(new Array(depth).fill(0))})`);
    }
    shape.push(node.length);
    node = node[0];
  }
  return shape;
}

function writer(spec: TensorSpec, data: TensorData): (value: unknown, at: number, index: readonly number[]) => void {
  const bad = (value: unknown, index: readonly number[], wanted: string) =>
    refuse(spec, `${described(value)} at ${where(index)} where ${wanted} should be`);
  if (spec.datatype === 'BYTES') {
    const strings = data as string[];
    return (value, at, index) => {
      if (typeof value !== 'string') throw bad(value, index, 'a string');
      // Half a character ("\ud800" in JSON) is no text: it would become another one.
      if (!value.isWellFormed()) throw bad(value, index, 'text that UTF-8 can hold');
      strings[at] = value;
    };
  }
  if (spec.datatype === 'BOOL') {
    const bytes = data as Uint8Array;
    return (value, at, index) => {
      if (typeof value !== 'boolean') throw bad(value, index, 'true or false');
      bytes[at] = value ? 1 : 0;
    };
  }
  const nullIsNan = spec.missing === 'nan' && isFloat(spec.datatype);
  const [least, most] = RANGE[spec.datatype] as readonly [number, number];
  const numpy = DATATYPES[spec.datatype].numpy;
  const whole = spec.datatype.includes('INT');
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  return (value, at, index) => {
    if (value === null && nullIsNan) {
      (data as Float64Array)[at] = Number.NaN;
      return;
    }
    if (typeof value !== 'number') throw bad(value, index, 'a number');
    if (!(value >= least && value <= most)) throw bad(value, index, `a number that ${numpy} can hold`);
    if (whole && !Number.isInteger(value)) throw bad(value, index, 'a whole number');
    if (wide) (data as BigInt64Array)[at] = BigInt(value);
    else (data as Float64Array)[at] = value;
  };
}

/** A tensor as nested JSON arrays; numbers print as the shortest decimal that reads back to the same value. */
export function nestTensor(tensor: Tensor): Nested {
  const flat = jsonValues(tensor);
  let at = 0;
  const nest = (depth: number): Nested => {
    if (depth === tensor.shape.length) return flat[at++];
    return Array.from({ length: tensor.shape[depth] as number }, () => nest(depth + 1));
  };
  return nest(0);
}

/** The values in order, as JSON has them: 64-bit integers as numbers where that is exact, else as text. */
export function jsonValues(tensor: Tensor): readonly (number | string | boolean)[] {
  const { data, datatype } = tensor;
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => value !== 0);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Array.from(data as Iterable<bigint>, (value) =>
      BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
    );
  }
  return Array.from(data as Iterable<number | string>);
}

function refuse(spec: TensorSpec, came: string): InlayError {
  return new InlayError('INPUT_INVALID', `input ${spec.name} takes ${describeSpec(spec)}; this has ${came}`);
}

function values(count: number): string {
  return `${count} value${count === 1 ? '' : 's'}`;
}

function where(index: readonly number[]): string {
  return index.length === 0 ? 'the top' : `[${index.join('][')}]`;
}

function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number')
    return Number.isFinite(value) ? `the number ${value}` : 'a number too large for any float';
  const text = JSON.stringify(value);
  return `${typeof value === 'string' ? 'the string' : 'the value'} ${text.length > 40 ? `${text.slice(0, 37)}..."` : text}`;
}
