// Projects that are broken or skewed in one way each, made from our own models, with the one code that check must give.
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Finding } from '../../src/check/index.ts';
import { type GraphProto, type ModelProto, ModelProtoSchema } from '../../src/contract/onnx/gen/onnx_pb.ts';
import {
  BFLOAT16,
  externalInitializer,
  FLOAT,
  initializer,
  intAttribute,
  linear,
  model,
  node,
  type Part,
  STRING,
  sequenceOutput,
  textAttribute,
  textsAttribute,
  value,
} from '../onnx-builder.ts';

export interface BrokenProject {
  readonly what: string;
  readonly code: Finding['code'];
  readonly make: (dir: string) => void;
}

const IRIS = join(import.meta.dir, '../../examples/iris');
const MODEL = 'models/iris_svc.onnx';

/** A healthy project: examples/iris. */
export function healthy(dir: string): void {
  cpSync(IRIS, dir, { recursive: true });
}

/** A healthy project with a transform: examples/digits. */
export function healthyDigits(dir: string): void {
  cpSync(join(IRIS, '..', 'digits'), dir, { recursive: true });
}

interface RawCase {
  request: { contentType: string; base64: string };
  answer: { prediction: number[]; label: string };
}

/** A healthy project with a model made by hand, without golden cases of its own: these follow from `sample` and `answer`. */
export function small(
  dir: string,
  bytes: Uint8Array,
  sample: unknown,
  outputs: Record<string, unknown>,
  more = '',
): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'm.onnx'), bytes);
  writeFileSync(join(dir, 'golden.json'), JSON.stringify({ cases: [{ inputs: { x: sample }, outputs }] }));
  writeFileSync(
    join(dir, 'inlay.yaml'),
    `name: small\nversion: "1"\nmodel: m.onnx\nsample: ${JSON.stringify(sample)}\ngolden: golden.json\n${more}`,
  );
}

/** Weights are unknown fields of our proto: they are kept. */
function editModel(dir: string, edit: (model: ModelProto, graph: GraphProto) => void): void {
  const path = join(dir, MODEL);
  const decoded = fromBinary(ModelProtoSchema, readFileSync(path));
  edit(decoded, decoded.graph as GraphProto);
  writeFileSync(path, toBinary(ModelProtoSchema, decoded));
}

function attribute(graph: GraphProto, op: string, name: string) {
  const found = graph.node.find((n) => n.opType === op)?.attribute.find((a) => a.name === name);
  if (!found) throw new Error(`no ${op}.${name}`);
  return found;
}

/** The iris model with classes by name, as a model that was trained on names has them. */
function nameClasses(graph: GraphProto): void {
  const found = attribute(graph, 'ZipMap', 'classlabels_int64s');
  found.name = 'classlabels_strings';
  found.ints = [];
  found.strings = ['setosa', 'versicolor', 'virginica'].map((name) => new TextEncoder().encode(name));
}

function editText(dir: string, file: string, from: string | RegExp, to: string): void {
  const path = join(dir, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${file} has no ${from}`);
  writeFileSync(path, after);
}

interface GoldenFile {
  tolerance?: unknown;
  dtypes: Record<string, string>;
  environment: Record<string, string>;
  cases: { inputs: Record<string, number[][]>; outputs: Record<string, unknown[]> }[];
}
function editGolden(dir: string, edit: (golden: GoldenFile, first: GoldenFile['cases'][number]) => void): void {
  const path = join(dir, 'golden.json');
  const golden = JSON.parse(readFileSync(path, 'utf8')) as GoldenFile;
  edit(golden, golden.cases[0] as GoldenFile['cases'][number]);
  writeFileSync(path, JSON.stringify(golden));
}

/** From the healthy iris project. */
const iris = (what: string, code: Finding['code'], edit: (dir: string) => void): BrokenProject => ({
  what,
  code,
  make: (dir) => {
    healthy(dir);
    edit(dir);
  },
});
const ofModel = (what: string, code: Finding['code'], edit: (model: ModelProto, graph: GraphProto) => void) =>
  iris(what, code, (dir) => editModel(dir, edit));
const modelIs = (what: string, bytes: string | Uint8Array) =>
  iris(what, 'MODEL_FORMAT', (dir) =>
    writeFileSync(join(dir, MODEL), typeof bytes === 'string' ? Uint8Array.from(bytes, (c) => c.charCodeAt(0)) : bytes),
  );
const folderIs = (what: string, file: string) =>
  iris(what, 'MODEL_FORMAT', (dir) => {
    rmSync(join(dir, MODEL));
    mkdirSync(join(dir, MODEL));
    if (file !== '') writeFileSync(join(dir, MODEL, file), 'x');
  });
const labelsAre = (what: string, labels: string) =>
  iris(what, 'LABELS_INVALID', (dir) => writeFileSync(join(dir, 'models/label.json'), labels));
const config = (what: string, code: Finding['code'], from: string | RegExp, to: string) =>
  iris(what, code, (dir) => editText(dir, 'inlay.yaml', from, to));
const golden = (what: string, code: Finding['code'], edit: Parameters<typeof editGolden>[1]) =>
  iris(what, code, (dir) => editGolden(dir, edit));
const requires = (what: string, code: Finding['code'], from: string | RegExp, to: string) =>
  iris(what, code, (dir) => editText(dir, 'requirements.txt', from, to));
const graphOf = (what: string, code: Finding['code'], graph: Part[], more = '') => ({
  what,
  code,
  make: (dir: string) => small(dir, model(graph), [[1, 2]], { y: [[1, 2]] }, more),
});

const ofText = (what: string, code: Finding['code'], nodes: Part[]): BrokenProject => ({
  what,
  code,
  make: (dir) => {
    const graph = [value(11, 'x', STRING, [-1]), value(12, 'y', STRING, [-1]), ...nodes];
    small(dir, model(graph, { domains: ['com.microsoft'] }), ['word'], { y: ['word'] });
  },
});

const X = value(11, 'x', FLOAT, [-1, 2]);
const Y = value(12, 'y', FLOAT, [-1, 2]);
const weights = (location: string, length = 16) => linear(externalInitializer('w', [2, 2], location, length));
const UNIT = new Uint8Array(Float32Array.of(1, 0, 0, 1).buffer);
/** An answer by way of a matrix of 7000 × 7000: 196 MB. */
function hungry(): Uint8Array {
  const ones = new Array(2 * 7000).fill(1);
  return model([
    value(11, 'x', FLOAT, [1, 2]),
    value(12, 'y', FLOAT, [1, 1]),
    initializer('w', [2, 7000], ones),
    node('MatMul', ['x', 'w'], ['row']),
    node('Transpose', ['row'], ['column']),
    node('MatMul', ['column', 'row'], ['matrix']),
    node('ReduceMax', ['matrix'], ['most']),
    node('Div', ['most', 'most'], ['y']),
  ]);
}
const external = (
  what: string,
  code: Finding['code'],
  location: string,
  arrange: (dir: string) => void,
  length?: number,
): BrokenProject => ({
  what,
  code,
  make: (dir) => {
    small(dir, weights(location, length), [[1, 2]], { y: [[1, 2]] });
    arrange(dir);
  },
});

/** With its weights beside it: healthy. */
export function healthyExternal(dir: string): void {
  small(dir, weights('w.bin'), [[1, 2]], { y: [[1, 2]] });
  writeFileSync(join(dir, 'w.bin'), UNIT);
}

/** Dynamic quantisation: the scale of a row depends on the rows beside it. */
function quantised(): Uint8Array {
  return model([
    X,
    Y,
    node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']),
    node('DequantizeLinear', ['q', 'scale', 'zero'], ['y']),
  ]);
}

/** examples/digits as it stands, but for what an edit changes in its transform's file, golden cases or packages. */
const digits = (what: string, code: Finding['code'], edit: (dir: string) => void): BrokenProject => ({
  what,
  code,
  make: (dir) => {
    healthyDigits(dir);
    edit(dir);
  },
});
const transformIs = (what: string, code: Finding['code'], script: string) =>
  digits(what, code, (dir) => writeFileSync(join(dir, 'transform.ts'), script));
const raw = (what: string, code: Finding['code'], edit: (cases: RawCase[], golden: Record<string, unknown>) => void) =>
  digits(what, code, (dir) => {
    const path = join(dir, 'golden.json');
    const golden = JSON.parse(readFileSync(path, 'utf8')) as { raw: RawCase[] };
    edit(golden.raw, golden as unknown as Record<string, unknown>);
    writeFileSync(path, JSON.stringify(golden));
  });

export const BROKEN: readonly BrokenProject[] = [
  // the model file
  ofModel('an opset newer than the runtime’s', 'OPSET_TOO_NEW', (m) => {
    for (const opset of m.opsetImport) if (opset.domain === '') opset.version = 27n;
  }),
  ofModel('an ai.onnx.ml opset newer than the runtime’s', 'OPSET_TOO_NEW', (m) => {
    for (const opset of m.opsetImport) if (opset.domain === 'ai.onnx.ml') opset.version = 6n;
  }),
  ofModel('an IR version newer than the runtime’s', 'IR_TOO_NEW', (m) => {
    m.irVersion = 14n;
  }),
  ofModel('an operator that does not exist', 'OPERATOR_UNKNOWN', (_, g) => {
    for (const n of g.node) if (n.opType === 'Scaler') n.opType = 'Scalar';
  }),
  ofModel('an operator of a domain that nobody registered', 'OPERATOR_UNKNOWN', (_, g) => {
    for (const n of g.node) if (n.opType === 'Scaler') n.domain = 'com.example';
  }),
  ofModel('NaN in the support vectors', 'WEIGHTS_NAN', (_, g) => {
    attribute(g, 'SVMClassifier', 'support_vectors').floats[3] = Number.NaN;
  }),
  ofModel('NaN in the scale', 'WEIGHTS_NAN', (_, g) => {
    attribute(g, 'Scaler', 'scale').floats[0] = Number.NaN;
  }),
  ofModel('a scaler of other data', 'GOLDEN_MISMATCH', (_, g) => {
    const { floats } = attribute(g, 'Scaler', 'offset');
    floats[0] = (floats[0] as number) + 0.5;
  }),
  ofModel('a scaler whose columns are swapped', 'GOLDEN_MISMATCH', (_, g) => {
    attribute(g, 'Scaler', 'scale').floats.reverse();
  }),
  ofModel('coefficients of another training', 'GOLDEN_MISMATCH', (_, g) => {
    const { floats } = attribute(g, 'SVMClassifier', 'coefficients');
    floats[0] = -(floats[0] as number) + 1;
  }),
  iris('a trimmed model', 'MODEL_INVALID', (dir) =>
    writeFileSync(join(dir, MODEL), readFileSync(join(IRIS, MODEL)).subarray(0, 1500)),
  ),
  iris('an empty model', 'MODEL_INVALID', (dir) => writeFileSync(join(dir, MODEL), '')),
  iris('a model that is not there', 'FILE_NOT_FOUND', (dir) => rmSync(join(dir, MODEL))),
  modelIs('a pickle', '\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00'),
  modelIs('a PyTorch archive', 'PK\x03\x04\x14\x00\x00\x00'),
  modelIs('a Keras HDF5 file', '\x89HDF\r\n\x1a\n\x00\x00'),
  modelIs('a TensorFlow Lite file', '\x1c\x00\x00\x00TFL3\x00\x00'),
  modelIs('a GGUF file', 'GGUF\x03\x00\x00\x00'),
  modelIs('safetensors', '\x40\x00\x00\x00\x00\x00\x00\x00{"w":{}}'),
  modelIs('a JSON dump', '{"learner": {}}'),
  folderIs('a folder', ''),
  folderIs('a SavedModel', 'saved_model.pb'),
  folderIs('an MLflow model', 'MLmodel'),
  graphOf('a graph that draws random numbers', 'RANDOM_OPERATOR', [
    X,
    Y,
    node('RandomNormalLike', ['x'], ['noise']),
    node('Add', ['x', 'noise'], ['y']),
  ]),
  ofText('stop words that mind the case of text that is lower-cased', 'LOCALE', [
    node(
      'StringNormalizer',
      ['x'],
      ['y'],
      [
        ...textAttribute('case_change_action', 'LOWER'),
        ...intAttribute('is_case_sensitive', 1),
        ...textsAttribute('stopwords', ['The']),
      ],
    ),
  ]),
  ofText('a tokenizer that knows ASCII only', 'TOKENS_ASCII', [
    node(
      'Tokenizer',
      ['x'],
      ['words'],
      [
        ...intAttribute('mark', 0),
        ...intAttribute('mincharnum', 1),
        ...textAttribute('pad_value', '#'),
        ...textAttribute('tokenexp', '[a-zA-Z0-9_]+'),
      ],
      'com.microsoft',
    ),
    node('Identity', ['x'], ['y']),
  ]),
  graphOf('a sequence as output', 'MODEL_UNSUPPORTED', [
    X,
    sequenceOutput('y'),
    node('SequenceConstruct', ['x'], ['y']),
  ]),
  graphOf('bfloat16 as input', 'MODEL_UNSUPPORTED', [value(11, 'x', BFLOAT16, [-1, 2]), Y, node('Cast', ['x'], ['y'])]),
  graphOf('an output without a rank', 'MODEL_UNSUPPORTED', [
    X,
    value(12, 'y', FLOAT, undefined),
    node('Identity', ['x'], ['y']),
  ]),
  graphOf('an answer that is not finite', 'OUTPUT_NOT_FINITE', [
    X,
    Y,
    node('Neg', ['x'], ['n']),
    node('Log', ['n'], ['y']),
  ]),
  graphOf('NaN in an initializer', 'WEIGHTS_NAN', [
    X,
    Y,
    initializer('w', [2], [1, Number.NaN]),
    node('Mul', ['x', 'w'], ['y']),
  ]),
  {
    what: 'a quantised model whose rows change each other',
    code: 'BATCH_CHANGES_ANSWERS',
    make: (dir) => small(dir, quantised(), [[0, 1]], { y: [[0, 1]] }),
  },
  {
    what: 'a run that needs more memory than the server may have',
    code: 'MEMORY_EXCEEDED',
    make: (dir) => small(dir, hungry(), [[1, 1]], { y: [[1]] }, 'server: {memory: 200Mi}\n'),
  },
  external('NaN in external data', 'WEIGHTS_NAN', 'w.bin', (dir) =>
    writeFileSync(join(dir, 'w.bin'), new Uint8Array(Float32Array.of(1, Number.NaN, 0, 1).buffer)),
  ),
  ofModel('an operator of a GPU runtime', 'GPU_WANTED', (m, g) => {
    m.opsetImport.push({ ...(m.opsetImport[0] as (typeof m.opsetImport)[number]), domain: 'com.nvidia', version: 1n });
    (g.node[0] as (typeof g.node)[number]).domain = 'com.nvidia';
  }),
  config('more memory than the server may have', 'MEMORY_EXCEEDED', '300Mi', '80Mi'),
  external('external data that is missing', 'EXTERNAL_DATA_MISSING', 'w.bin', () => {}),
  external('external data above the model', 'EXTERNAL_DATA_ESCAPES', '../w.bin', () => {}),
  external('external data at an absolute path', 'EXTERNAL_DATA_ESCAPES', '/etc/hostname', () => {}),
  external('external data through a link', 'EXTERNAL_DATA_ESCAPES', 'w.bin', (dir) =>
    symlinkSync('/etc/hostname', join(dir, 'w.bin')),
  ),
  external('external data cut off', 'EXTERNAL_DATA_SHORT', 'w.bin', (dir) =>
    writeFileSync(join(dir, 'w.bin'), UNIT.subarray(0, 12)),
  ),
  // labels
  iris('labels in another order than the classes', 'LABELS_INVALID', (dir) => {
    editModel(dir, (_, g) => nameClasses(g));
    writeFileSync(join(dir, 'models/label.json'), '["versicolor", "setosa", "virginica"]');
  }),
  labelsAre('too few labels', '["a", "b"]'),
  labelsAre('too many labels', '["a", "b", "c", "d"]'),
  labelsAre('a label twice', '["a", "b", "a"]'),
  labelsAre('a class without a label', '{"1": "a", "2": "b", "3": "c"}'),
  labelsAre('labels that are no JSON', 'a b c'),
  // sample and configuration
  config('a sample that is too narrow', 'SAMPLE_INVALID', '[[5.1, 3.5, 1.4, 0.2]]', '[[5.1, 3.5, 1.4]]'),
  config('a flat sample', 'SAMPLE_INVALID', '[[5.1, 3.5, 1.4, 0.2]]', '[5.1, 3.5, 1.4, 0.2]'),
  config('a sample of text', 'SAMPLE_INVALID', '[[5.1, 3.5, 1.4, 0.2]]', '[["a", "b", "c", "d"]]'),
  config(
    'a sample for an input that there is not',
    'SAMPLE_INVALID',
    '[[5.1, 3.5, 1.4, 0.2]]',
    '{flowers: [[5.1, 3.5, 1.4, 0.2]]}',
  ),
  config('no sample', 'SAMPLE_MISSING', /sample: .*\n/, ''),
  config('no golden cases', 'GOLDEN_MISSING', /golden: .*\n/, ''),
  config('a mistake in inlay.yaml', 'CONFIG_INVALID', 'task:', 'tsak:'),
  config('a version that is a number', 'CONFIG_INVALID', 'version: "0.0.1"', 'version: 1.10'),
  config('a model outside of the project', 'PATH_ESCAPES', MODEL, '../iris.onnx'),
  iris('a model behind a link that leads out', 'PATH_ESCAPES', (dir) => {
    rmSync(join(dir, MODEL));
    symlinkSync(join(IRIS, MODEL), join(dir, MODEL));
  }),
  // golden cases
  golden('golden inputs in float16', 'GOLDEN_DTYPE', (g) => {
    g.dtypes.float_input = 'float16';
  }),
  golden('golden inputs in float64', 'GOLDEN_DTYPE', (g) => {
    g.dtypes.float_input = 'float64';
  }),
  golden('golden labels as text where the model has numbers', 'GOLDEN_DTYPE', (g) => {
    g.dtypes.output_label = '<U10';
  }),
  {
    what: 'float64 in training that float32 rounds to another answer',
    code: 'GOLDEN_MISMATCH',
    make: (dir) => {
      small(dir, model([X, Y, initializer('w', [2], [16777216, 0]), node('Sub', ['x', 'w'], ['y'])]), [[16777217, 2]], {
        y: [[1, 2]],
      });
      editGolden(dir, (g) => Object.assign(g, { dtypes: { x: 'float64' } }));
    },
  },
  {
    what: 'float16 in training, fed as float32',
    code: 'GOLDEN_MISMATCH',
    make: (dir) => {
      small(dir, model([X, Y, node('Exp', ['x'], ['y'])]), [[0.1, 2.3]], { y: [[1.10546875, 9.9765625]] });
      editGolden(dir, (g) => Object.assign(g, { dtypes: { x: 'float16' } }));
    },
  },
  golden('golden inputs of another width', 'GOLDEN_INVALID', (_, c) => {
    c.inputs.float_input = (c.inputs.float_input ?? []).map((row) => row.slice(1));
  }),
  golden('golden inputs of another name', 'GOLDEN_INVALID', (_, c) => {
    c.inputs = { X: c.inputs.float_input as number[][] };
  }),
  golden('golden outputs that the model does not have', 'GOLDEN_INVALID', (_, c) => {
    c.outputs = { probabilities: c.outputs.output_probability as unknown[] };
  }),
  golden('golden outputs with their columns swapped', 'GOLDEN_MISMATCH', (_, c) => {
    c.outputs.output_probability = (c.outputs.output_probability as number[][]).map((row) => row.toReversed());
  }),
  golden('golden labels that were swapped', 'GOLDEN_MISMATCH', (_, c) => {
    c.outputs = { output_label: (c.inputs.float_input ?? []).map(() => 2) };
  }),
  golden('one row fewer in the outputs', 'GOLDEN_MISMATCH', (_, c) => {
    c.outputs.output_probability?.pop();
  }),
  golden('a tolerance that the runtime cannot meet', 'GOLDEN_MISMATCH', (g) => {
    g.tolerance = 0;
  }),
  iris('golden cases that are no JSON', 'GOLDEN_INVALID', (dir) =>
    writeFileSync(join(dir, 'golden.json'), '{"cases": [NaN]}'),
  ),
  iris('metrics that are no numbers', 'METRICS_INVALID', (dir) =>
    writeFileSync(join(dir, 'metrics.json'), '{"accuracy": "good"}'),
  ),
  // the transform
  digits('raw golden cases, and no transform', 'GOLDEN_INVALID', (dir) =>
    editText(dir, 'inlay.yaml', 'transform: transform.ts\n', ''),
  ),
  config('a transform that is not there', 'FILE_NOT_FOUND', 'golden:', 'transform: transform.ts\ngolden:'),
  config('a transform above the project', 'PATH_ESCAPES', 'golden:', 'transform: ../transform.ts\ngolden:'),
  transformIs('a transform with a mistake', 'TRANSFORM_INVALID', 'export default { preprocess( };'),
  transformIs('a transform that exports nothing', 'TRANSFORM_INVALID', 'const preprocess = () => ({});'),
  transformIs('a transform that fails while it is loaded', 'TRANSFORM_INVALID', 'export default {}.a.b;'),
  transformIs('a transform of packages that are not there', 'TRANSFORM_INVALID', 'export { default } from "left-pad";'),
  digits('a transform with a native addon', 'TRANSFORM_NATIVE', (dir) => {
    writeFileSync(join(dir, 'node_modules/jpeg-js/binding.gyp'), '{}');
  }),
  transformIs(
    'a transform that imports from above the project',
    'PATH_ESCAPES',
    `export { default } from '${join(IRIS, '../digits/transform.ts')}';`,
  ),
  digits('a transform without any golden cases', 'TRANSFORM_UNPROVEN', (dir) =>
    editText(dir, 'inlay.yaml', 'golden: golden.json\n', ''),
  ),
  raw('a transform without raw golden cases', 'TRANSFORM_UNPROVEN', (_, golden) => {
    delete golden.raw;
    delete golden.rawTolerance;
    golden.schemaVersion = 1;
  }),
  raw('raw golden cases of another answer', 'GOLDEN_MISMATCH', (cases) => {
    (cases[3] as RawCase).answer.label = '8';
  }),
  raw('raw golden cases of other numbers', 'GOLDEN_MISMATCH', (cases) => {
    (cases[0] as RawCase).answer.prediction.reverse();
  }),
  raw('a raw tolerance that no decoder of JPEG can meet', 'GOLDEN_MISMATCH', (_, golden) => {
    golden.rawTolerance = 1e-9;
  }),
  raw('a raw case that the transform refuses', 'TRANSFORM_FAILED', (cases) => {
    (cases[0] as RawCase).request.base64 = 'AAAA';
  }),
  raw('a raw case of a type that the transform does not take', 'TRANSFORM_FAILED', (cases) => {
    (cases[0] as RawCase).request.contentType = 'image/gif';
  }),
  raw('raw cases that are no base64', 'GOLDEN_INVALID', (cases) => {
    (cases[0] as RawCase).request.base64 = '*';
  }),
  digits('another grid than in training', 'GOLDEN_MISMATCH', (dir) =>
    editText(dir, 'transform/cells.ts', '16 / most', '15 / most'),
  ),
  transformIs(
    'a transform that gives another shape than the model takes',
    'TRANSFORM_FAILED',
    'export default { accepts: ["image/*"], preprocess: () => ({ cells: { data: new Float32Array(63), shape: [1, 63] } }) };',
  ),
  transformIs(
    'a transform that throws',
    'TRANSFORM_FAILED',
    'export default { accepts: ["image/*"], preprocess() { throw new Error("x"); } };',
  ),
  digits('a transform with a random number in its answer', 'NOT_DETERMINISTIC', (dir) =>
    editText(
      dir,
      'transform.ts',
      'prediction: probabilities',
      'prediction: probabilities.map((p) => p + 1e-5 * Math.random())',
    ),
  ),
  // the training environment
  requires('an unpinned package', 'TRAIN_UNPINNED', 'scikit-learn==1.7.2', 'scikit-learn'),
  requires('a range', 'TRAIN_UNPINNED', 'scikit-learn==1.7.2', 'scikit-learn>=1.7,<2'),
  requires('a wildcard', 'TRAIN_UNPINNED', 'scikit-learn==1.7.2', 'scikit-learn==1.7.*'),
  requires(
    'another scikit-learn than the model was made with',
    'TRAIN_VERSION_SKEW',
    'scikit-learn==1.7.2',
    'scikit-learn==1.5.0',
  ),
  iris('a converter that is not the one that signed the model', 'TRAIN_CONVERTER_SKEW', (dir) => {
    editGolden(dir, (g) => delete g.environment.skl2onnx);
    editText(dir, 'requirements.txt', /skl2onnx==.*/, 'skl2onnx==1.17.0');
  }),
  iris('an onnx package that cannot have written the model', 'TRAIN_CONVERTER_SKEW', (dir) => {
    editGolden(dir, (g) => delete g.environment.onnx);
    editText(dir, 'requirements.txt', /^onnx==.*/m, 'onnx==1.12.0');
  }),
  requires('the GPU build of ONNX Runtime', 'TRAIN_GPU', 'scikit-learn==1.7.2', 'onnxruntime-gpu==1.20.0'),
  requires('a line that pip would refuse', 'TRAIN_REQUIREMENTS_INVALID', 'scikit-learn==1.7.2', 'scikit learn = 1.7.2'),
];
