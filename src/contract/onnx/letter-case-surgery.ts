import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { InlayError } from '../../error/index.ts';
import {
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './gen/onnx_pb.ts';
import { type CaseInput, changeCase, type LetterCase, WITH_GRAPHS } from './letter-case.ts';
import { encodeField, encodeNumber, encodeText, type WireField, wireFields, wireText } from './wire.ts';

export interface CaseSurgery {
  readonly bytes: Uint8Array;
  readonly inputs: readonly CaseInput[];
  /** Nodes that could not be moved out: they change ASCII letters only, as the locale C has it. */
  readonly asciiOnly: readonly string[];
}

/** Operators that pick and arrange text without looking at it: all operands of these, or the first one. */
const ALL_OPERANDS = ['Concat'];
const FIRST_OPERAND = [
  'Identity',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Gather',
  'GatherND',
  'Slice',
  'Split',
  'Expand',
  'Tile',
  'ai.onnx.ml.ArrayFeatureExtractor',
];

const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INPUT = 11;
const STRING = 8;
const DEEPEST = 100;

interface LightNode {
  readonly field: WireField;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** With its domain where that is not ONNX's own. */
  readonly opType: string;
}

/**
 * Takes the change of letter case out of a graph, in memory. ONNX Runtime's StringNormalizer asks the C library for a locale
 * (en_US.UTF-8 unless the model says otherwise), an image has none, and no locale lower-cases as training did: Python's
 * str.lower follows Unicode, where İ becomes two characters and Σ at the end of a word ς. So the text is changed
 * before it is fed, where the way from a graph input to the normalizer only picks and arranges: the graph gains an input with
 * the changed text, a copy of that way, and a normalizer that leaves the case alone. Where that cannot be done the locale
 * becomes C, which is always there and knows ASCII. A model without such nodes comes back as it came.
 * @param bytes a ModelProto, or its skeleton @throws MODEL_INVALID
 */
export function moveLetterCase(bytes: Uint8Array): CaseSurgery {
  const top = [...wireFields(bytes)];
  const graph = top.find((field) => field.number === MODEL_GRAPH && field.wireType === 2);
  const fields = graph ? [...wireFields(bytes, graph.valueStart, graph.end)] : [];
  const isNode = (field: WireField) => field.number === GRAPH_NODE && field.wireType === 2;
  const nodes = fields.filter(isNode).map((field) => readLight(bytes, field));
  if (!nodes.some(({ opType }) => opType === 'StringNormalizer' || WITH_GRAPHS.includes(opType)))
    return { bytes, inputs: [], asciiOnly: [] };
  const copies = new TextCopies(bytes, fields, nodes);
  const asciiOnly: string[] = [];
  const replaced = new Map<WireField, Uint8Array[]>();
  for (const light of nodes) {
    if (WITH_GRAPHS.includes(light.opType)) {
      const node = decode(bytes, light.field);
      const found = node.attribute.flatMap((a) => [...(a.g ? [a.g] : []), ...a.graphs]).flatMap(toAscii);
      asciiOnly.push(...found);
      if (found.length > 0) replaced.set(light.field, encodeField(GRAPH_NODE, [toBinary(NodeProtoSchema, node)]));
    } else if (light.opType === 'StringNormalizer') {
      const node = decode(bytes, light.field);
      const change = movableChange(node);
      const [input = ''] = light.inputs;
      if (change && copies.reach(input)) {
        const before = copies.copy(input, change);
        node.input = [before.tensor];
        replaced.set(light.field, [...before.nodes, ...encodeField(GRAPH_NODE, leaveCase(node, change))]);
      } else if (needsLocale(node)) {
        asciiOnly.push(node.name || light.opType);
        replaced.set(light.field, encodeField(GRAPH_NODE, inLocaleC(node)));
      }
    }
  }
  if (!graph || replaced.size === 0) return { bytes, inputs: [], asciiOnly };
  const newGraph = [
    ...fields.flatMap((field) => replaced.get(field) ?? [bytes.subarray(field.start, field.end)]),
    ...copies.declarations(),
  ];
  const parts = top.flatMap((field) =>
    field === graph ? encodeField(MODEL_GRAPH, newGraph) : [bytes.subarray(field.start, field.end)],
  );
  return { bytes: new Uint8Array(Buffer.concat(parts)), inputs: copies.inputs, asciiOnly };
}

/** The ways from graph inputs of text, and copies of them for text in another case. */
class TextCopies {
  readonly #bytes: Uint8Array;
  readonly #textInputs: ReadonlyMap<string, WireField>;
  readonly #producers: ReadonlyMap<string, LightNode>;
  readonly #copied = new Set<string>();
  readonly inputs: CaseInput[] = [];

  constructor(bytes: Uint8Array, fields: readonly WireField[], nodes: readonly LightNode[]) {
    this.#bytes = bytes;
    this.#textInputs = new Map(
      fields
        .filter((field) => field.number === GRAPH_INPUT && field.wireType === 2)
        .map((field) => [declarationOf(bytes, field), field] as const)
        .filter(([value]) => value.type?.value.case === 'tensorType' && value.type.value.value.elemType === STRING)
        .map(([value, field]) => [value.name, field]),
    );
    this.#producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  }

  /** True when a tensor is text of graph inputs, picked and arranged. */
  reach(tensor: string, depth = 0): boolean {
    if (this.#textInputs.has(tensor)) return true;
    const producer = this.#producers.get(tensor);
    const from = producer ? textOperands(producer) : [];
    return depth < DEEPEST && from.length > 0 && from.every((input) => this.reach(input, depth + 1));
  }

  /** Makes a tensor in another case: its name, and the nodes, as fields of a graph, that are new for it. */
  copy(tensor: string, change: LetterCase): { readonly tensor: string; readonly nodes: Uint8Array[] } {
    const name = `${tensor}/inlay-${change}`;
    if (this.#textInputs.has(tensor)) {
      if (!this.inputs.some((input) => input.name === name)) this.inputs.push({ name, of: tensor, change });
      return { tensor: name, nodes: [] };
    }
    const producer = this.#producers.get(tensor);
    if (!producer || this.#copied.has(name)) return { tensor: name, nodes: [] };
    for (const output of producer.outputs) this.#copied.add(`${output}/inlay-${change}`);
    const before = textOperands(producer).map((input) => [input, this.copy(input, change)] as const);
    const node = decode(this.#bytes, producer.field);
    const operands = new Map(before.map(([input, copy]) => [input, copy.tensor]));
    node.input = node.input.map((input, i) =>
      i === 0 || ALL_OPERANDS.includes(producer.opType) ? (operands.get(input) ?? input) : input,
    );
    node.output = node.output.map((output) => `${output}/inlay-${change}`);
    node.name = node.name === '' ? '' : `${node.name}/inlay-${change}`;
    return {
      tensor: name,
      nodes: [
        ...before.flatMap(([, copy]) => copy.nodes),
        ...encodeField(GRAPH_NODE, [toBinary(NodeProtoSchema, node)]),
      ],
    };
  }

  /** The new graph inputs, of the shape of those that they follow. */
  declarations(): Uint8Array[] {
    return this.inputs.flatMap(({ name, of }) => {
      const value = declarationOf(this.#bytes, this.#textInputs.get(of) as WireField);
      value.name = name;
      return encodeField(GRAPH_INPUT, [toBinary(ValueInfoProtoSchema, value)]);
    });
  }
}

function textOperands({ opType, inputs }: LightNode): readonly string[] {
  if (ALL_OPERANDS.includes(opType)) return inputs;
  return FIRST_OPERAND.includes(opType) ? inputs.slice(0, 1) : [];
}

function readLight(bytes: Uint8Array, field: WireField): LightNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let opType = '';
  let domain = '';
  for (const part of wireFields(bytes, field.valueStart, field.end)) {
    if (part.wireType !== 2) continue;
    if (part.number === 1) inputs.push(wireText(bytes, part));
    else if (part.number === 2) outputs.push(wireText(bytes, part));
    else if (part.number === 4) opType = wireText(bytes, part);
    else if (part.number === 7) domain = wireText(bytes, part);
  }
  return { field, inputs, outputs, opType: domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}` };
}

/** What our proto does not declare (weights, types) is kept as it came. */
function decode(bytes: Uint8Array, field: WireField): NodeProto {
  return decodeAs(NodeProtoSchema, bytes, field);
}

function declarationOf(bytes: Uint8Array, field: WireField): ValueInfoProto {
  return decodeAs(ValueInfoProtoSchema, bytes, field);
}

function decodeAs<T extends DescMessage>(schema: T, bytes: Uint8Array, field: WireField): MessageShape<T> {
  try {
    return fromBinary(schema, bytes.subarray(field.valueStart, field.end));
  } catch (cause) {
    throw new InlayError(
      'MODEL_INVALID',
      `not an ONNX file: a part of its graph at byte ${field.start} cannot be decoded`,
      {
        cause,
        hint: 'The file is damaged or of another format. Export or copy it again.',
      },
    );
  }
}

const attributeOf = (node: NodeProto, name: string) => node.attribute.find((attribute) => attribute.name === name);
const utf8 = (text: string) => new TextEncoder().encode(text);

function actionOf(node: NodeProto): string {
  const action = attributeOf(node, 'case_change_action')?.s;
  return action ? new TextDecoder().decode(action) : 'NONE';
}

/** The change of a normalizer that may as well come before it: stop words that mind the case must see text as it came. */
function movableChange(node: NodeProto): LetterCase | undefined {
  const minds = attributeOf(node, 'is_case_sensitive')?.i === 1n && stopWords(node).length > 0;
  const action = actionOf(node);
  return minds ? undefined : action === 'LOWER' ? 'lower' : action === 'UPPER' ? 'upper' : undefined;
}

function needsLocale(node: NodeProto): boolean {
  const comparesAnyCase = attributeOf(node, 'is_case_sensitive')?.i !== 1n && stopWords(node).length > 0;
  return actionOf(node) !== 'NONE' || comparesAnyCase;
}

function stopWords(node: NodeProto): readonly Uint8Array[] {
  return attributeOf(node, 'stopwords')?.strings ?? [];
}

/** The normalizer for text whose case was changed before; its stop words are changed alike. */
function leaveCase(node: NodeProto, change: LetterCase): Uint8Array[] {
  node.attribute = node.attribute.filter(({ name }) => name !== 'locale' && name !== 'is_case_sensitive');
  for (const attribute of node.attribute) {
    if (attribute.name === 'case_change_action') attribute.s = utf8('NONE');
    if (attribute.name === 'stopwords')
      attribute.strings = attribute.strings.map((word) => utf8(changeCase(new TextDecoder().decode(word), change)));
  }
  const sensitive = [...encodeText(1, 'is_case_sensitive'), encodeNumber(3, 1), encodeNumber(20, 2)];
  return [toBinary(NodeProtoSchema, node), ...encodeField(5, sensitive)];
}

function inLocaleC(node: NodeProto): Uint8Array[] {
  node.attribute = node.attribute.filter(({ name }) => name !== 'locale');
  return [toBinary(NodeProtoSchema, node), ...encodeField(5, localeC())];
}

/** AttributeProto `locale: "C"`; 20 is its type, 3 a string. */
function localeC(): Uint8Array[] {
  return [...encodeText(1, 'locale'), ...encodeText(4, 'C'), encodeNumber(20, 3)];
}

/** Gives the normalizers inside of a node's own graphs the locale C, in place; returns their names. */
function toAscii(graph: GraphProto): string[] {
  return graph.node.flatMap((node, i) => {
    const inner = node.attribute.flatMap((a) => [...(a.g ? [a.g] : []), ...a.graphs]).flatMap(toAscii);
    if (node.opType !== 'StringNormalizer' || !needsLocale(node)) return inner;
    graph.node[i] = fromBinary(NodeProtoSchema, new Uint8Array(Buffer.concat(inLocaleC(node))));
    return [node.name || node.opType, ...inner];
  });
}
