// Projects that the playground is shown with: text, regression with missing values, several inputs, a large tensor.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FLOAT,
  INT64,
  initializer,
  intAttribute,
  model,
  node,
  type Part,
  STRING,
  textsAttribute,
  value,
} from '../test/onnx-builder.ts';

const BOOL = 9;

export interface ProjectOptions {
  readonly graph: readonly Part[];
  readonly domains?: readonly string[];
  readonly config: string;
  readonly labels?: readonly string[];
  /** Beside inlay.yaml. */
  readonly files?: Readonly<Record<string, string>>;
}

/** "good" and "bad" are words; all others are neither. */
const text: ProjectOptions = {
  graph: [
    value(11, 'review', STRING, [-1, 1]),
    value(12, 'probabilities', FLOAT, [-1, 2]),
    initializer('w', [1, 2], [-2, 2]),
    initializer('b', [2], [2, -2]),
    node(
      'LabelEncoder',
      ['review'],
      ['word'],
      [...textsAttribute('classes_strings', ['bad', '-', 'good']), ...intAttribute('default_int64', 1)],
      'ai.onnx.ml',
    ),
    node('Cast', ['word'], ['score'], intAttribute('to', FLOAT)),
    node('MatMul', ['score', 'w'], ['product']),
    node('Add', ['product', 'b'], ['logits']),
    node('Softmax', ['logits'], ['probabilities'], intAttribute('axis', 1)),
  ],
  domains: ['ai.onnx.ml'],
  labels: ['negative', '</script><b>positive'],
  config: 'labels: labels.json\ntask: classification\nsample: [["good"]]\n',
};

/** 10 × rooms + 2 × area − age; a missing value counts 0. */
const house: ProjectOptions = {
  graph: [
    value(11, 'x', FLOAT, [-1, 3]),
    value(12, 'price', FLOAT, [-1, 1]),
    initializer('w', [3, 1], [10, 2, -1]),
    initializer('zero', [1], [0]),
    node('IsNaN', ['x'], ['missing']),
    node('Where', ['missing', 'zero', 'x'], ['filled']),
    node('MatMul', ['filled', 'w'], ['price']),
  ],
  config:
    'task: regression\nmissing: nan\nfeatures: [rooms, area in m², age of the house in years]\nsample: [[3, 80.5, null]]\n',
};

/** Several inputs of several kinds. */
const several: ProjectOptions = {
  graph: [
    value(11, 'visits', INT64, [-1, 1]),
    value(11, 'subscribed', BOOL, [-1, 1]),
    value(11, 'position', FLOAT, [-1, 2]),
    value(12, 'vector', FLOAT, [-1, 4]),
    node('Cast', ['visits'], ['v'], intAttribute('to', FLOAT)),
    node('Cast', ['subscribed'], ['s'], intAttribute('to', FLOAT)),
    node('Concat', ['v', 's', 'position'], ['vector'], intAttribute('axis', 1)),
  ],
  config: 'task: embedding\nsample: {visits: [[7]], subscribed: [[true]], position: [[52.52, 13.405]]}\n',
};

/** An image: too large for a form, and its sample for the page. */
const image: ProjectOptions = {
  graph: [
    value(11, 'pixels', FLOAT, [-1, 3, 224, 224]),
    value(12, 'means', FLOAT, [-1, 3, 1, 1]),
    node('GlobalAveragePool', ['pixels'], ['means']),
  ],
  config: 'task: other\n',
};

/** JSON of its own or a file go in through a transform, and an answer of its own comes out. */
const words: ProjectOptions = {
  graph: [value(11, 'n', INT64, [-1]), value(12, 'm', INT64, [-1]), node('Identity', ['n'], ['m'])],
  config: 'task: other\ntransform: transform.ts\ngolden: golden.json\n',
  files: {
    'transform.ts': `export default {
      accepts: ['application/json', 'audio/wav'],
      preprocess({ contentType, json, bytes }, model) {
        const words = contentType === 'audio/wav' ? [String(bytes.length)] : (json().text ?? '').split(' ');
        if (words[0] === '') throw model.badRequest('text is missing', 'Send {"text": "..."}.');
        return { n: { data: BigInt64Array.from(words, (word) => BigInt(word.length)), shape: [words.length] } };
      },
      postprocess: ({ m }) => ({ words: Array.from(m.data, (length) => ({ length })) }),
    };`,
    'golden.json': JSON.stringify({
      cases: [{ inputs: { n: [3] }, outputs: { m: [3] } }],
      raw: [{ request: { json: { text: 'a few words' } }, answer: { words: [1, 3, 5].map((length) => ({ length })) } }],
    }),
  },
};

export const PROJECTS = { text, house, several, image, words };
export type ProjectName = keyof typeof PROJECTS;

/** Writes a project into a folder of its own and returns the folder. */
export function writeProject(parent: string, name: ProjectName): string {
  const { graph, domains, config, labels, files = {} }: ProjectOptions = PROJECTS[name];
  const dir = join(parent, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'm.onnx'), model(graph, domains ? { domains } : {}));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(dir, file), content);
  if (labels) writeFileSync(join(dir, 'labels.json'), JSON.stringify(labels));
  writeFileSync(join(dir, 'inlay.yaml'), `name: ${name}\nversion: "1.2.0"\nmodel: m.onnx\n${config}`);
  return dir;
}
