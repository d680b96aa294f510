import { InlayError } from '../../error/index.ts';

/** One field of a protobuf message: where it starts (its key), where its value starts and ends; offsets in bytes. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 64-bit, 2 length-delimited, 5 32-bit. */
  readonly wireType: number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/**
 * Walks the fields of the message in `bytes[start, end)` without decoding their values
 * (protobuf encoding specification). Values are skipped over, so weights are never touched.
 * @throws MODEL_INVALID where the bytes end too soon or are no protobuf message
 */
export function* wireFields(bytes: Uint8Array, start = 0, end = bytes.length): Generator<WireField> {
  let at = start;
  while (at < end) {
    const fieldStart = at;
    let key: number;
    [key, at] = varint(bytes, at, end);
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (number === 0) throw damaged(fieldStart, 'field number 0');
    let valueStart = at;
    if (wireType === 0) [, at] = varint(bytes, at, end);
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      let length: number;
      [length, valueStart] = varint(bytes, at, end);
      at = valueStart + length;
    } else throw damaged(fieldStart, `wire type ${wireType}`);
    if (at > end) {
      throw new InlayError(
        'MODEL_INVALID',
        `the file ends too soon: a part that starts at byte ${fieldStart} should go on to byte ${at}, but ${end === bytes.length ? `the file has ${end} bytes` : `its container ends at byte ${end}`}`,
        {
          hint: 'The file is truncated or is not ONNX. Export or copy it again.',
        },
      );
    }
    yield { number, wireType, start: fieldStart, valueStart, end: at };
  }
}

/** The text of a length-delimited field. */
export function wireText(bytes: Uint8Array, field: WireField): string {
  return new TextDecoder().decode(bytes.subarray(field.valueStart, field.end));
}

/** A length-delimited field from its parts, with its key and length written anew. */
export function encodeField(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([...encodeVarint(number * 8 + 2), ...encodeVarint(length)]), ...parts];
}

/** A string field. */
export function encodeText(number: number, text: string): Uint8Array[] {
  return encodeField(number, [new TextEncoder().encode(text)]);
}

/** A varint field. */
export function encodeNumber(number: number, value: number): Uint8Array {
  return Uint8Array.from([...encodeVarint(number * 8), ...encodeVarint(value)]);
}

function encodeVarint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

/** Reads a varint; above 2^53 the value is inexact, which no length or key that fits in a file can be. */
function varint(bytes: Uint8Array, start: number, end: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at + 1];
    scale *= 128;
  }
  throw damaged(start, 'a number without an end');
}

function damaged(offset: number, what: string): InlayError {
  return new InlayError('MODEL_INVALID', `not an ONNX file: ${what} at byte ${offset}`, {
    hint: 'inlay takes models in the ONNX format; docs/export.md says how to export from scikit-learn, PyTorch, TensorFlow and LightGBM.',
  });
}
