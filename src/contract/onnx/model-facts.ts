import { fromBinary } from '@bufbuild/protobuf';
import { InlayError } from '../../error/index.ts';
import { type Datatype, datatypeOfOnnx, type TensorSpec } from '../datatype.ts';
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TypeProto,
  type ValueInfoProto,
} from './gen/onnx_pb.ts';
import type { CaseInput } from './letter-case.ts';
import { moveLetterCase } from './letter-case-surgery.ts';
import { refuseOtherFormats } from './other-format.ts';
import { skeletonOf } from './skeleton.ts';

/** The classes of a classifier in the order of its columns, as its graph writes them. */
export type ClassLabels =
  | { readonly kind: 'int'; readonly values: readonly number[] }
  | { readonly kind: 'string'; readonly values: readonly string[] };

/** A ZipMap at the end of the graph, which would turn a matrix of probabilities into a list of maps. */
export interface ZipMap {
  /** The tensor that it reads, float [rows, classes]. */
  readonly input: string;
  /** The graph output that it writes, and that becomes a tensor of this name when it is cut. */
  readonly output: string;
}

/** What an ONNX file says of itself, weights apart. */
export interface ModelFacts {
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly TensorSpec[];
  /** As they are served: ZipMap outputs appear as the tensors behind them. */
  readonly outputs: readonly TensorSpec[];
  readonly zipMaps: readonly ZipMap[];
  readonly classLabels: ClassLabels | undefined;
  /** Text whose letter case is changed before the graph, and nodes that change ASCII letters only. */
  readonly letterCase: { readonly inputs: readonly CaseInput[]; readonly asciiOnly: readonly string[] };
  /** Expressions by which tokenizers cut text, and that know no letters outside of ASCII. */
  readonly asciiTokens: readonly string[];
  /** Operator types, with their domain where it is not ONNX's own, each once, sorted. */
  readonly operators: readonly string[];
  /** Files beside the model that hold weights, relative to it, each once, sorted. */
  readonly externalData: readonly string[];
  /** How long each of these files must be, bytes, as far as the model says. */
  readonly externalBytes: Readonly<Record<string, number>>;
}

/**
 * Reads an ONNX model's structure from its bytes (ModelProto, ONNX IR specification); weights are skipped over.
 * @throws MODEL_INVALID when it is no ONNX file, MODEL_UNSUPPORTED when an input or output cannot be served
 */
export function readModelFacts(bytes: Uint8Array): ModelFacts {
  refuseOtherFormats(bytes);
  if (bytes.length === 0)
    throw new InlayError('MODEL_INVALID', 'the file is empty', { hint: 'Export the model again.' });
  const skeleton = skeletonOf(bytes);
  const model = decode(skeleton);
  const graph = model.graph;
  if (!graph || model.opsetImport.length === 0 || graph.output.length === 0) {
    throw new InlayError('MODEL_INVALID', 'not an ONNX model: it has no graph with outputs, or names no operator set', {
      hint: 'inlay takes models in the ONNX format; docs/export.md says how to export from scikit-learn, PyTorch, TensorFlow and LightGBM.',
    });
  }
  const externalBytes = externalFiles(graph);
  const zipMaps = graph.node
    .filter(isZipMap)
    .map((node) => ({ input: node.input[0] ?? '', output: node.output[0] ?? '' }));
  const classLabels = classLabelsOf(graph);
  const initializers = new Set(graph.initializer.map((tensor) => tensor.name));
  const letterCase = moveLetterCase(skeleton);
  const nodes = [...allNodes(graph.node), ...model.functions.flatMap((f) => [...allNodes(f.node)])];
  return {
    irVersion: Number(model.irVersion),
    opsets: model.opsetImport
      .map((o) => ({ domain: o.domain, version: Number(o.version) }))
      .sort((a, b) => (a.domain < b.domain ? -1 : 1)),
    producer: { name: model.producerName, version: model.producerVersion },
    metadata: Object.fromEntries(model.metadataProps.map((entry) => [entry.key, entry.value])),
    // Before IR 4 an initializer had to be an input too: it is a weight, not something that a request gives.
    inputs: graph.input.filter((input) => !initializers.has(input.name)).map((input) => specOf(input, 'input')),
    outputs: graph.output.map((output) =>
      zipMaps.some((zipMap) => zipMap.output === output.name)
        ? { name: output.name, datatype: 'FP32', shape: [-1, classLabels?.values.length ?? -1] }
        : specOf(output, 'output'),
    ),
    zipMaps,
    classLabels,
    letterCase: { inputs: letterCase.inputs, asciiOnly: letterCase.asciiOnly },
    asciiTokens: nodes.flatMap(asciiTokensOf),
    operators: [
      ...new Set(nodes.map((node) => (node.domain === '' ? node.opType : `${node.domain}.${node.opType}`))),
    ].sort(),
    externalData: Object.keys(externalBytes).sort(),
    externalBytes,
  };
}

/** RE2, which ONNX Runtime's Tokenizer has, takes \w for ASCII alone; letters of all scripts are \p{L}. */
function asciiTokensOf(node: NodeProto): string[] {
  if (node.opType !== 'Tokenizer' || node.domain !== 'com.microsoft') return [];
  const expression = new TextDecoder().decode(node.attribute.find(({ name }) => name === 'tokenexp')?.s);
  return /\\w|a-z|A-Z/.test(expression) && !/\\[pP]|\[\^|\[:\^/.test(expression) ? [expression] : [];
}

function decode(skeleton: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, skeleton, { readUnknownFields: false });
  } catch (cause) {
    throw new InlayError('MODEL_INVALID', 'not an ONNX file: its protobuf cannot be decoded', {
      cause,
      hint: 'The file is damaged or of another format. Export or copy it again.',
    });
  }
}

export function isZipMap(node: Pick<NodeProto, 'opType' | 'domain'>): boolean {
  return node.opType === 'ZipMap' && node.domain === 'ai.onnx.ml';
}

/** From ZipMap, or else from the last classifier of the graph: `classlabels_*` of the ai.onnx.ml operators. */
function classLabelsOf(graph: GraphProto): ClassLabels | undefined {
  const ends = graph.node.filter(isZipMap);
  const carriers =
    ends.length > 0
      ? ends
      : graph.node.filter((node) => node.domain === 'ai.onnx.ml' && node.opType.endsWith('Classifier'));
  for (const attribute of carriers.toReversed().flatMap((node): AttributeProto[] => node.attribute)) {
    if (!attribute.name.startsWith('classlabels_')) continue;
    if (attribute.ints.length > 0) return { kind: 'int', values: attribute.ints.map(Number) };
    if (attribute.strings.length > 0)
      return { kind: 'string', values: attribute.strings.map((s) => new TextDecoder().decode(s)) };
  }
  return undefined;
}

function specOf(value: ValueInfoProto, role: 'input' | 'output'): TensorSpec {
  const kind = value.type?.value;
  if (kind?.case !== 'tensorType') {
    throw new InlayError('MODEL_UNSUPPORTED', `${role} ${value.name} is a ${typeName(value.type)}, not a tensor`, {
      hint: 'Only tensors can be served. Convert without it (skl2onnx: options={"zipmap": False}), or drop the output from the graph.',
    });
  }
  const datatype: Datatype | undefined = datatypeOfOnnx(kind.value.elemType);
  if (!datatype) {
    throw new InlayError(
      'MODEL_UNSUPPORTED',
      `${role} ${value.name} has ONNX element type ${kind.value.elemType} (${OTHER_TYPES[kind.value.elemType] ?? 'unknown'}), which ONNX Runtime's JavaScript binding cannot take`,
      {
        hint: 'Put a Cast to float32 at the edge of the graph and export again.',
      },
    );
  }
  const dims = kind.value.shape?.dim;
  if (!dims) {
    throw new InlayError('MODEL_UNSUPPORTED', `${role} ${value.name} has no shape in the graph, not even its rank`, {
      hint: 'Export again with shapes (free dimensions are fine), for example after onnx.shape_inference.infer_shapes.',
    });
  }
  return {
    name: value.name,
    datatype,
    shape: dims.map((dim) => (dim.value.case === 'dimValue' && dim.value.value >= 0n ? Number(dim.value.value) : -1)),
  };
}

const OTHER_TYPES: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  19: 'float8e5m2',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

function typeName(type: TypeProto | undefined): string {
  switch (type?.value.case) {
    case 'sequenceType':
      return 'sequence';
    case 'mapType':
      return 'map';
    case 'optionalType':
      return 'optional';
    case 'sparseTensorType':
      return 'sparse tensor';
    default:
      return 'value without a type';
  }
}

function* allNodes(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node;
    for (const attribute of node.attribute) {
      for (const graph of [...(attribute.g ? [attribute.g] : []), ...attribute.graphs]) yield* allNodes(graph.node);
    }
  }
}

/** The files of external data (docs/ExternalData.md of ONNX), with the bytes that tensors take of each. */
function externalFiles(graph: GraphProto): Record<string, number> {
  const own = [...graph.initializer, ...graph.sparseInitializer.flatMap((s) => [s.values, s.indices])];
  const inner = [...allNodes(graph.node)].flatMap((node) =>
    node.attribute.flatMap((a) => [
      ...(a.t ? [a.t] : []),
      ...a.tensors,
      ...(a.g?.initializer ?? []),
      ...a.graphs.flatMap((g) => g.initializer),
    ]),
  );
  const files: Record<string, number> = {};
  for (const tensor of [...own, ...inner]) {
    if (tensor?.dataLocation !== 1) continue;
    const entry = (key: string) => tensor.externalData.find((found) => found.key === key)?.value;
    const location = entry('location');
    if (location === undefined) continue;
    files[location] = Math.max(files[location] ?? 0, Number(entry('offset') ?? 0) + Number(entry('length') ?? 0));
  }
  return files;
}
