import { type WireField, wireFields, wireText } from './wire.ts';

const FLOAT = 1;
const DOUBLE = 11;

/**
 * The names of weights that hold NaN: initializers, and the float attributes of nodes, where scikit-learn's models keep
 * theirs. A model with NaN weights still answers (an SVC with NaN support vectors gives 1/3, 1/3, 1/3), so only the
 * weights tell. An Imputer's NaN is its job: it says which values are missing. External data is not looked at.
 * @param bytes a ModelProto; read from start to end
 */
export function hasNanWeights(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (const graph of children(wireFields(bytes), 7)) {
    const fields = [...wireFields(bytes, graph.valueStart, graph.end)];
    for (const tensor of children(fields, 5)) {
      const name = tensorWithNan(bytes, tensor);
      if (name !== undefined) found.push(name);
    }
    for (const node of children(fields, 1)) {
      const parts = [...wireFields(bytes, node.valueStart, node.end)];
      const opType = parts.filter((part) => part.number === 4).map((part) => wireText(bytes, part))[0] ?? '';
      if (opType === 'Imputer') continue;
      for (const attribute of children(parts, 5)) {
        const name = attributeWithNan(bytes, attribute);
        if (name !== undefined) found.push(`${opType}.${name}`);
      }
    }
  }
  return found;
}

function* children(fields: Iterable<WireField>, number: number): Generator<WireField> {
  for (const field of fields) if (field.number === number && field.wireType === 2) yield field;
}

function tensorWithNan(bytes: Uint8Array, tensor: WireField): string | undefined {
  let name = '';
  let type = 0;
  const values: WireField[] = [];
  for (const part of wireFields(bytes, tensor.valueStart, tensor.end)) {
    if (part.number === 2 && part.wireType === 0) type = bytes[part.valueStart] ?? 0;
    else if (part.number === 8) name = wireText(bytes, part);
    else if (part.number === 9 || part.number === 4 || part.number === 10) values.push(part);
  }
  const width = type === FLOAT ? 4 : type === DOUBLE ? 8 : 0;
  return width > 0 && values.some((part) => anyNan(bytes, part, width)) ? name : undefined;
}

function attributeWithNan(bytes: Uint8Array, attribute: WireField): string | undefined {
  let name = '';
  let nan = false;
  for (const part of wireFields(bytes, attribute.valueStart, attribute.end)) {
    if (part.number === 1) name = wireText(bytes, part);
    else if (part.number === 7) nan ||= anyNan(bytes, part, 4);
  }
  return nan ? name : undefined;
}

/** Little-endian floats of 4 or 8 bytes: packed in one field, or one value. */
function anyNan(bytes: Uint8Array, field: WireField, width: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = field.valueStart; at + width <= field.end; at += width) {
    if (Number.isNaN(width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true))) return true;
  }
  return false;
}
