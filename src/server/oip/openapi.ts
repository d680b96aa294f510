import { type Contract, nestTensor, parseTensor, type TensorSpec } from '../../contract/index.ts';
import { PLATFORM } from './platform.ts';

type Schema = Record<string, unknown>;

/** The protocol's paths of an OpenAPI 3.1 document. */
export function oipPaths({ name, version, inputs, outputs, sample }: Contract): Schema {
  const model = `/v2/models/${name}`;
  const example = {
    inputs: inputs.map((spec) => {
      const tensor = parseTensor(spec, sample.inputs[spec.name]);
      return { ...specOf(spec), shape: tensor.shape, data: nestTensor(tensor) };
    }),
  };
  const paths: Record<string, Schema> = {
    '/v2': get('Open Inference Protocol: the server', object({ name: text, version: text, extensions: list(text) })),
    '/v2/health/live': get('Open Inference Protocol: liveness', object({ live: { type: 'boolean' } })),
    '/v2/health/ready': get('Open Inference Protocol: readiness', object({ ready: { type: 'boolean' } }), [503]),
  };
  const spec = object({ name: text, datatype: text, shape: list({ type: 'integer' }) });
  const metadata = object({
    name: { const: name },
    versions: list(text),
    platform: { const: PLATFORM },
    inputs: list(spec),
    outputs: list(spec),
  });
  for (const path of [model, `${model}/versions/${version}`]) {
    paths[path] = get('Open Inference Protocol: the model', metadata);
    const ready = object({ name: { const: name }, ready: { type: 'boolean' } });
    paths[`${path}/ready`] = get('Open Inference Protocol: is the model ready?', ready, [503]);
    paths[`${path}/infer`] = {
      post: {
        summary: 'Open Inference Protocol: infer',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: requestSchema(inputs, outputs), example } },
        },
        responses: {
          ...answers(object({ model_name: { const: name }, model_version: { const: version }, outputs: list(spec) })),
          ...Object.fromEntries([400, 408, 413, 415, 500, 503].map(refusal)),
        },
      },
    };
  }
  return paths;
}

const text: Schema = { type: 'string' };

function requestSchema(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): Schema {
  const parameters = { type: 'object', additionalProperties: true };
  const input = {
    ...object({
      name: { enum: inputs.map(({ name }) => name) },
      datatype: { enum: [...new Set(inputs.map(({ datatype }) => datatype))] },
      shape: list({ type: 'integer', minimum: 1 }),
      data: { type: 'array' },
    }),
  };
  const output = {
    type: 'object',
    properties: { name: { enum: outputs.map(({ name }) => name) } },
    required: ['name'],
  };
  return {
    type: 'object',
    properties: {
      id: orNull(text),
      parameters: orNull(parameters),
      inputs: { ...list(input), minItems: inputs.length, maxItems: inputs.length },
      outputs: orNull(list(output)),
    },
    required: ['inputs'],
  };
}

function get(summary: string, schema: Schema, refused: readonly number[] = []): Schema {
  return { get: { summary, responses: { ...answers(schema), ...Object.fromEntries(refused.map(refusal)) } } };
}

function answers(schema: Schema): Schema {
  return { 200: { description: 'The answer.', content: { 'application/json': { schema } } } };
}

function refusal(status: number): [number, Schema] {
  const schema = { type: 'object', properties: { error: text }, required: ['error'] };
  return [status, { description: 'Refused: `error` says why.', content: { 'application/json': { schema } } }];
}

/** Python's clients write null for what is left out. */
function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { const: null }] };
}

function specOf({ name, datatype }: TensorSpec) {
  return { name, datatype };
}

function list(items: Schema): Schema {
  return { type: 'array', items };
}

function object(properties: Record<string, Schema>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}
