import { InlayError } from '../error/index.ts';
import { DATATYPES, type Datatype } from './datatype.ts';
import { allocate, elementCount, type Tensor, type TensorData } from './tensor.ts';

/** Datatypes by numpy's codes (numpy.lib.format, array protocol); text comes beside them as `U` and `S`. */
const CODES: Readonly<Record<string, Datatype>> = {
  f2: 'FP16',
  f4: 'FP32',
  f8: 'FP64',
  i1: 'INT8',
  i2: 'INT16',
  i4: 'INT32',
  i8: 'INT64',
  u1: 'UINT8',
  u2: 'UINT16',
  u4: 'UINT32',
  u8: 'UINT64',
  b1: 'BOOL',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** numpy itself refuses longer headers, unless it is told that the file is trusted. */
const LONGEST_HEADER = 10_000;
const HEADER = /^\{'descr': ('[^']*'|.*), 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\),? *\} *\n$/;

/**
 * Reads one .npy array (numpy.lib.format, versions 1 to 3): little-endian numbers, booleans and text, in C or Fortran
 * order; what comes out is row-major. Strict: the data is as long as dtype and shape say.
 * @param what how to name it in an error @throws GOLDEN_INVALID; Python objects, which are pickles, are refused
 */
export function parseNpy(bytes: Uint8Array, what: string): Tensor {
  const { descr, fortran, shape, dataStart } = readHeader(bytes, what);
  const kind = /^([<|])([a-zA-Z])(\d+)$/.exec(descr);
  if (/^\|?O\d*$/.test(descr))
    throw refuse(
      what,
      'holds Python objects (a pickle), which are not read',
      'Save it as text or numbers: array.astype(str).',
    );
  if (/^>/.test(descr))
    throw refuse(what, `is big-endian (${descr})`, "Save it as little-endian: array.astype('<f4').");
  const [, , letter = '', digits = ''] = kind ?? [];
  const data = bytes.slice(dataStart);
  const count = elementCount(shape);
  if (letter === 'U' || letter === 'S') {
    const width = Number(digits) * (letter === 'U' ? 4 : 1);
    checkLength(what, data.length, count, width);
    const read = letter === 'U' ? codePoints : utf8;
    const text = Array.from({ length: count }, (_, i) => read(data.subarray(i * width, (i + 1) * width), what));
    return { datatype: 'BYTES', shape, data: fortran ? rowMajor(text, shape, new Array<string>(count)) : text };
  }
  const datatype = CODES[`${letter}${digits}`];
  if (!datatype) throw refuse(what, `has dtype ${descr}, which there are no tensors of`);
  checkLength(what, data.length, count, DATATYPES[datatype].bytes);
  if (datatype === 'BOOL' && data.some((value) => value > 1))
    throw refuse(what, 'has booleans that are neither 0 nor 1');
  const values = allocate(datatype, 0);
  if (Array.isArray(values)) throw new TypeError('text is read above');
  const typed = new (values.constructor as new (buffer: ArrayBufferLike) => Float32Array)(data.buffer);
  return {
    datatype,
    shape,
    data: fortran ? rowMajor(typed, shape, allocate(datatype, count) as Float32Array) : typed,
  };
}

function readHeader(bytes: Uint8Array, what: string) {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw refuse(what, 'is not an .npy array');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] as number;
  if (version < 1 || version > 3) throw refuse(what, `is an .npy of version ${version}; 1 to 3 are read`);
  const wide = version > 1;
  if (wide && bytes.length < 12) throw refuse(what, 'ends inside its header');
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > LONGEST_HEADER) throw refuse(what, `has a header of ${length} bytes`);
  if (start + length > bytes.length) throw refuse(what, 'ends inside its header');
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + length));
  const [, descr = '', order, dimensions = ''] = HEADER.exec(header) ?? [];
  if (order === undefined) throw refuse(what, 'has a header that numpy would not write');
  if (!descr.startsWith("'"))
    throw refuse(what, `is a table of several fields (${descr.slice(0, 60)})`, 'Save one array a field.');
  const sizes = dimensions.split(',').map((part) => part.trim());
  if (sizes.at(-1) === '') sizes.pop();
  const shape = sizes.map(Number);
  if (sizes.includes('') || !Number.isSafeInteger(elementCount(shape)))
    throw refuse(what, `has the shape (${dimensions})`);
  return { descr: descr.slice(1, -1), fortran: order === 'True', shape, dataStart: start + length };
}

function checkLength(what: string, length: number, count: number, width: number): void {
  if (length !== count * width) throw refuse(what, `has ${length} bytes of data where ${count * width} belong`);
}

/** UTF-32, padded with zeros: numpy's `U`. */
function codePoints(bytes: Uint8Array, what: string): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length;
  while (end > 0 && view.getUint32(end - 4, true) === 0) end -= 4;
  let text = '';
  for (let at = 0; at < end; at += 4) {
    const point = view.getUint32(at, true);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw refuse(what, 'has text that is not Unicode');
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Bytes, padded with zeros: numpy's `S`. */
function utf8(bytes: Uint8Array, what: string): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
  } catch (cause) {
    throw refuse(what, 'has text that is not UTF-8', 'Save it as str, not as bytes.', cause);
  }
}

/** From Fortran order, in which the first axis runs fastest. */
function rowMajor<T extends TensorData>(from: T, shape: readonly number[], to: T): T {
  const index = new Array<number>(shape.length).fill(0);
  const source = from as unknown[];
  const target = to as unknown[];
  for (let at = 0; at < from.length; at++) {
    let position = 0;
    for (const [axis, size] of shape.entries()) position = position * size + (index[axis] as number);
    target[position] = source[at];
    for (let axis = 0; axis < shape.length; axis++) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return to;
}

function refuse(what: string, why: string, hint?: string, cause?: unknown): InlayError {
  return new InlayError('GOLDEN_INVALID', `${what} ${why}`, { hint, cause });
}
