import {
  allocate,
  DATATYPES,
  elementCount,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import { checkShape } from './shape.ts';

type ArrayOnBytes = new (buffer: ArrayBufferLike, offset: number, length: number) => Exclude<TensorData, string[]>;

/**
 * A tensor from bytes: little-endian, row-major, unpadded; BOOL one byte, BYTES a length of 4 bytes before each text.
 * The values are not copied where the bytes lie as the datatype needs them.
 * @throws INPUT_INVALID
 */
export function tensorOfBytes(spec: TensorSpec, datatype: string, shape: readonly number[], bytes: Uint8Array): Tensor {
  const count = checkShape(spec, datatype, shape);
  if (spec.datatype === 'BYTES') return { datatype: 'BYTES', shape, data: readTexts(spec, bytes, count) };
  const { bytes: size } = DATATYPES[spec.datatype];
  if (bytes.length !== count * size)
    throw refuse(spec, `the shape [${shape.join(', ')}] has ${count * size} bytes; ${bytes.length} came`);
  if (spec.datatype === 'BOOL' && bytes.some((byte) => byte > 1)) throw refuse(spec, 'a BOOL is a byte of 0 or 1');
  // Not slice(): a Buffer's is no copy.
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  // A class is had from an empty array: the datatypes' classes are known in one place.
  const ArrayClass = allocate(spec.datatype, 0).constructor as ArrayOnBytes;
  return { datatype: spec.datatype, shape, data: new ArrayClass(buffer, byteOffset, count) };
}

/** A tensor's values as tensorOfBytes reads them. They are not copied, BYTES apart. */
export function bytesOfTensor({ data }: Tensor): Uint8Array {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const parts: Uint8Array[] = [];
  for (const text of data) {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/**
 * The shape of a tensor that came as bytes alone: the one free dimension follows from their number; a second one is 1.
 * @throws INPUT_INVALID
 */
export function shapeOfBytes(spec: TensorSpec, bytes: Uint8Array): number[] {
  if (spec.datatype === 'BYTES') return spec.shape.map((size) => (size < 0 ? 1 : size));
  const free = spec.shape.findLastIndex((size) => size < 0);
  const rest = spec.shape.map((size, axis) => (size < 0 || axis === free ? 1 : size));
  const values = bytes.length / DATATYPES[spec.datatype].bytes;
  const size = values / elementCount(rest);
  if (!Number.isInteger(size) || size < 1 || (free < 0 && size !== 1))
    throw refuse(
      spec,
      `it takes ${spec.datatype} [${spec.shape.join(', ')}]; ${bytes.length} bytes are no such tensor`,
    );
  return rest.map((one, axis) => (axis === free ? size : one));
}

function readTexts(spec: TensorSpec, bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (texts.length === count) throw refuse(spec, `the shape has ${count} values; more bytes follow them`);
    const length = bytes.length - at >= 4 ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (length > bytes.length - at - 4) throw refuse(spec, `value ${texts.length} ends behind the last byte`);
    texts.push(text(spec, bytes.subarray(at + 4, at + 4 + length), texts.length));
    at += 4 + length;
  }
  if (texts.length !== count) throw refuse(spec, `the shape has ${count} values; ${texts.length} came`);
  return texts;
}

/** @throws INPUT_INVALID: ONNX's strings are text, so bytes that are no UTF-8 would come out as others */
export function text(spec: TensorSpec, bytes: Uint8Array, index: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(spec, `value ${index} is not UTF-8 text`);
  }
}

function refuse(spec: TensorSpec, what: string): InlayError {
  return new InlayError('INPUT_INVALID', `input ${spec.name}: ${what}`);
}
