import { encodeField, encodeNumber, encodeText, type WireField, wireFields, wireText } from './wire.ts';

const MODEL_GRAPH = 7;
const MODEL_OPSET_IMPORT = 8;
const GRAPH_NODE = 1;
const GRAPH_OUTPUT = 12;
const FLOAT = 1;

/**
 * Cuts ZipMap out of a model in memory. ONNX Runtime's JavaScript binding refuses the list of maps that ZipMap makes;
 * the matrix that it reads holds the same numbers. Each `ZipMap(x) -> y` becomes `Identity(x) -> y`, which ONNX Runtime
 * removes when it optimises, and the graph output y becomes a float tensor. Other bytes stay as they are; a model
 * without ZipMap is returned as it came.
 * @param bytes a ModelProto @throws MODEL_INVALID
 */
export function cutZipMap(bytes: Uint8Array): Uint8Array {
  const top = [...wireFields(bytes)];
  const graph = top.find((field) => field.number === MODEL_GRAPH && field.wireType === 2);
  if (!graph) return bytes;
  const fields = [...wireFields(bytes, graph.valueStart, graph.end)];
  const zipMaps = new Map<WireField, Node>();
  for (const field of fields) {
    if (field.number !== GRAPH_NODE || field.wireType !== 2) continue;
    const node = readNode(bytes, field);
    if (node.opType === 'ZipMap' && node.domain === 'ai.onnx.ml') zipMaps.set(field, node);
  }
  if (zipMaps.size === 0) return bytes;
  const cut = new Set([...zipMaps.values()].map((node) => node.output));
  const newGraph = fields.flatMap((field) => {
    const node = zipMaps.get(field);
    if (node)
      return encodeField(GRAPH_NODE, [
        ...encodeText(1, node.input),
        ...encodeText(2, node.output),
        ...encodeText(4, 'Identity'),
      ]);
    if (field.number === GRAPH_OUTPUT) {
      const name = nameOf(bytes, field);
      if (cut.has(name)) return encodeField(GRAPH_OUTPUT, matrixOutput(name));
    }
    return [bytes.subarray(field.start, field.end)];
  });
  const parts = top.flatMap((field) =>
    field === graph ? encodeField(MODEL_GRAPH, newGraph) : [bytes.subarray(field.start, field.end)],
  );
  // Identity belongs to ONNX's own domain, which a purely ai.onnx.ml graph need not import.
  if (!top.some((field) => field.number === MODEL_OPSET_IMPORT && importsOnnx(bytes, field))) {
    parts.push(...encodeField(MODEL_OPSET_IMPORT, [encodeNumber(2, 9)]));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function importsOnnx(bytes: Uint8Array, field: WireField): boolean {
  return [...wireFields(bytes, field.valueStart, field.end)].every(
    (part) => part.number !== 1 || ['', 'ai.onnx'].includes(wireText(bytes, part)),
  );
}

interface Node {
  input: string;
  output: string;
  opType: string;
  domain: string;
}

function readNode(bytes: Uint8Array, field: WireField): Node {
  const node: Node = { input: '', output: '', opType: '', domain: '' };
  for (const part of wireFields(bytes, field.valueStart, field.end)) {
    if (part.wireType !== 2) continue;
    if (part.number === 1) node.input ||= wireText(bytes, part);
    else if (part.number === 2) node.output ||= wireText(bytes, part);
    else if (part.number === 4) node.opType = wireText(bytes, part);
    else if (part.number === 7) node.domain = wireText(bytes, part);
  }
  return node;
}

function nameOf(bytes: Uint8Array, field: WireField): string {
  for (const part of wireFields(bytes, field.valueStart, field.end))
    if (part.number === 1) return wireText(bytes, part);
  return '';
}

/** ValueInfoProto of a float matrix with two free dimensions. */
function matrixOutput(name: string): Uint8Array[] {
  const freeDimension = encodeField(1, []);
  const shape = encodeField(2, [...freeDimension, ...freeDimension]);
  const tensor = encodeField(1, [encodeNumber(1, FLOAT), ...shape]);
  return [...encodeText(1, name), ...encodeField(2, tensor)];
}
