import { dirname, join } from 'node:path';
import { readPieces } from '../file-digest.ts';
import { mapFile } from '../map-file.ts';
import { type WireField, wireFields, wireText } from './wire.ts';

/** Where a run of floats lies: in the model file, or in a file of external data. */
interface WeightRange {
  readonly name: string;
  /** Relative to the model; undefined for the model file itself. */
  readonly file: string | undefined;
  readonly offset: number;
  readonly length: number;
  readonly isNan: (piece: Uint8Array) => boolean;
}

/** By ONNX element type (TensorProto.DataType): how the bytes of a NaN look. Little-endian, as ONNX writes them. */
const NAN_TESTS: Readonly<Record<number, (piece: Uint8Array) => boolean>> = {
  1: (piece) => someWord(new Uint32Array(aligned(piece, 4)), 0x7fffffff, 0x7f800000),
  10: (piece) => someWord(new Uint16Array(aligned(piece, 2)), 0x7fff, 0x7c00),
  11: (piece) => new Float64Array(aligned(piece, 8)).some(Number.isNaN),
  16: (piece) => someWord(new Uint16Array(aligned(piece, 2)), 0x7fff, 0x7f80),
};
const FLOAT = 1;

/** Ranges up to this are read where they are mapped, longer ones piece by piece. */
const MAPPED_BYTES = 2 ** 16;

/**
 * The names of weights that hold NaN: initializers (their external data too), and the float attributes of nodes, where
 * scikit-learn's models keep theirs. A model with NaN weights still answers (an SVC with NaN support vectors gives 1/3,
 * 1/3, 1/3), so only the weights tell. An Imputer's NaN is its job: it says which values are missing.
 */
export async function nanWeights(modelPath: string): Promise<string[]> {
  const bytes = mapFile(modelPath);
  const found = new Set<string>();
  for (const range of weightRanges(bytes)) {
    if (found.has(range.name)) continue;
    if (range.file === undefined && range.length <= MAPPED_BYTES) {
      if (range.isNan(bytes.subarray(range.offset, range.offset + range.length))) found.add(range.name);
      continue;
    }
    const path = range.file === undefined ? modelPath : join(dirname(modelPath), range.file);
    await readPieces(
      path,
      (piece) => {
        if (!found.has(range.name) && range.isNan(piece)) found.add(range.name);
      },
      range,
    );
  }
  return [...found];
}

function* weightRanges(bytes: Uint8Array): Generator<WeightRange> {
  for (const graph of children(wireFields(bytes), 7)) {
    const fields = [...wireFields(bytes, graph.valueStart, graph.end)];
    for (const tensor of children(fields, 5)) yield* tensorRanges(bytes, tensor);
    for (const node of children(fields, 1)) {
      const parts = [...wireFields(bytes, node.valueStart, node.end)];
      const opType = parts.filter((part) => part.number === 4).map((part) => wireText(bytes, part))[0] ?? '';
      if (opType === 'Imputer') continue;
      for (const attribute of children(parts, 5)) yield* attributeRanges(bytes, attribute, opType);
    }
  }
}

function* children(fields: Iterable<WireField>, number: number): Generator<WireField> {
  for (const field of fields) if (field.number === number && field.wireType === 2) yield field;
}

function* tensorRanges(bytes: Uint8Array, tensor: WireField): Generator<WeightRange> {
  let name = '';
  let type = 0;
  const values: WireField[] = [];
  const external: Record<string, string> = {};
  for (const part of wireFields(bytes, tensor.valueStart, tensor.end)) {
    if (part.number === 2 && part.wireType === 0) type = bytes[part.valueStart] ?? 0;
    else if (part.number === 8) name = wireText(bytes, part);
    else if (part.number === 9 || part.number === 4 || part.number === 10) values.push(part);
    else if (part.number === 13) {
      const [key, value] = [1, 2].map((number) => textOf(bytes, part, number));
      if (key !== undefined && value !== undefined) external[key] = value;
    }
  }
  const isNan = NAN_TESTS[type];
  if (!isNan) return;
  for (const part of values) yield rangeOf(name, part, isNan);
  if (external.location !== undefined) {
    const offset = Number(external.offset ?? 0);
    yield { name, file: external.location, offset, length: Number(external.length ?? 0), isNan };
  }
}

function* attributeRanges(bytes: Uint8Array, attribute: WireField, opType: string): Generator<WeightRange> {
  const parts = [...wireFields(bytes, attribute.valueStart, attribute.end)];
  const name = parts.filter((part) => part.number === 1).map((part) => wireText(bytes, part))[0] ?? '';
  for (const part of parts)
    if (part.number === 7) yield rangeOf(`${opType}.${name}`, part, NAN_TESTS[FLOAT] as WeightRange['isNan']);
}

function rangeOf(name: string, part: WireField, isNan: WeightRange['isNan']): WeightRange {
  return { name, file: undefined, offset: part.valueStart, length: part.end - part.valueStart, isNan };
}

function textOf(bytes: Uint8Array, message: WireField, number: number): string | undefined {
  for (const part of wireFields(bytes, message.valueStart, message.end))
    if (part.number === number) return wireText(bytes, part);
  return undefined;
}

/** The whole words of a piece, in memory of their own alignment. */
function aligned(piece: Uint8Array, width: number): ArrayBuffer {
  const length = piece.length - (piece.length % width);
  return piece.slice(0, length).buffer;
}

function someWord(words: Uint16Array | Uint32Array, mask: number, infinity: number): boolean {
  for (let i = 0; i < words.length; i++) if (((words[i] as number) & mask) > infinity) return true;
  return false;
}
