import { encodeField, wireFields } from './wire.ts';

/** The messages that are looked into, by field number (onnx.proto of the ONNX specification). */
const CHILDREN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 25: 'function' },
  function: { 7: 'node' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph' },
  sparse: { 1: 'tensor', 2: 'tensor' },
};

/** What holds numbers of the model, not its structure: a tensor's values, in each of the ways that ONNX writes them. */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = { tensor: [4, 5, 6, 7, 9, 10, 11] };

/** An attribute's floats (7) and ints (8): a forest keeps its trees there. So many are kept, enough for class labels. */
const KEPT_NUMBERS = 4096;
const MAX_DEPTH = 64;

/**
 * The model's protobuf without its weights: small whatever the model's size, so that it can be decoded whole.
 * `bytes` may be a memory map: the pages that hold weights are not read.
 * @throws MODEL_INVALID
 */
export function skeletonOf(bytes: Uint8Array): Uint8Array {
  const parts = strip(bytes, 0, bytes.length, 'model', 0);
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function strip(bytes: Uint8Array, start: number, end: number, message: string, depth: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let numbers = 0;
  for (const field of wireFields(bytes, start, end)) {
    const child = CHILDREN[message]?.[field.number];
    if (WEIGHTS[message]?.includes(field.number)) continue;
    if (message === 'attribute' && (field.number === 7 || field.number === 8)) {
      const count = field.wireType === 2 ? (field.end - field.valueStart) / 4 : 1;
      numbers += count;
      if (numbers > KEPT_NUMBERS) continue;
    }
    if (child !== undefined && field.wireType === 2 && depth < MAX_DEPTH) {
      parts.push(...encodeField(field.number, strip(bytes, field.valueStart, field.end, child, depth + 1)));
    } else {
      parts.push(bytes.subarray(field.start, field.end));
    }
  }
  return parts;
}
