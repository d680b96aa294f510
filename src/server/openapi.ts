import { type Contract, type Datatype, describeSpec, type TensorSpec } from '../contract/index.ts';
import { oipPaths } from './oip/index.ts';

type Schema = Record<string, unknown>;

/** The OpenAPI 3.1 document of a served model: real datatypes, widths and examples, from its contract. */
export function openApiOf(contract: Contract, samplePrediction: unknown): Schema {
  const [input, second] = contract.inputs;
  const single = input && !second ? input : undefined;
  const output = contract.outputs.find((spec) => spec.name === contract.prediction) as TensorSpec;
  const answer = (schema: Schema, description: string, example?: unknown): Schema => ({
    200: { description, content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } } },
  });
  const prediction = object({
    prediction: { anyOf: [rowSchema(output), { type: 'array', items: rowSchema(output) }] },
  });
  const label = object({
    prediction: { anyOf: [labelSchema(contract), { type: 'array', items: labelSchema(contract) }] },
  });
  const get = (summary: string, schema: Schema, more: Schema = {}): Schema => ({
    get: { summary, responses: { ...answer(schema, summary), ...more } },
  });
  const post = (summary: string, schema: Schema): Schema => ({
    post: {
      summary,
      ...(contract.transform
        ? { requestBody: { required: true, content: acceptedContent(contract.transform) } }
        : single
          ? {
              requestBody: {
                required: true,
                content: {
                  'application/json': {
                    schema: bodySchema(single),
                    example: { data: contract.sample.inputs[single.name] },
                  },
                },
              },
            }
          : {}),
      responses: {
        ...answer(schema, 'The prediction: one row answers one row, several answer a list.'),
        ...(contract.transform ? transformFailures : {}),
        400: {
          description: 'The body is not what the model takes.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
        413: {
          description: 'The body is larger than the server takes.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
        500: {
          description: `The model answered with a value that is not finite${contract.transform ? ', or the transform failed' : ''}.`,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
    },
  });
  const health = object({ health: { const: 'ok' } });
  const notReady = {
    503: {
      description: 'Not ready.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  };
  const labelled = contract.labels !== undefined && contract.task === 'classification';
  return {
    openapi: '3.1.0',
    info: {
      title: contract.name,
      version: contract.version,
      description: `${contract.task}: ${contract.inputs.map((i) => `${i.name} ${describeSpec(i)}`).join(', ')} → ${output.name} ${describeSpec(output)}`,
    },
    externalDocs: { description: 'Playground', url: '.' },
    paths: {
      '/health': get('Is the server there?', health),
      '/metadata': get('What the model takes and gives', { type: 'object' }),
      ...(contract.labels
        ? { '/label': get('Class names', { type: 'object', additionalProperties: { type: 'string' } }) }
        : {}),
      '/predict/test': {
        get: {
          summary: "The sample's prediction",
          responses: answer(prediction, 'The prediction.', { prediction: samplePrediction }),
        },
      },
      ...(labelled ? { '/predict/test/label': get("The sample's label", label) } : {}),
      '/predict': post('Predict', contract.transform?.postprocess ? {} : prediction),
      ...(labelled ? { '/predict/label': post("Predict the class's name", label) } : {}),
      ...oipPaths(contract),
      '/health/live': get('Liveness probe', health),
      '/health/ready': get('Readiness probe', health, notReady),
      '/health/startup': get('Startup probe', health, notReady),
    },
    components: {
      schemas: {
        Error: object({
          error: {
            ...object({ code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } }),
            required: ['code', 'message'],
          },
        }),
      },
    },
  };
}

/** Bodies that a transform takes: it alone knows what belongs in them. */
function acceptedContent({ accepts, sample }: NonNullable<Contract['transform']>): Schema {
  const schemaOf = (type: string): Schema =>
    type === 'application/json' || type.endsWith('+json')
      ? {}
      : { type: 'string', ...(type.startsWith('text/') ? {} : { format: 'binary' }) };
  const exampleOf = (type: string): Schema =>
    sample?.contentType === type
      ? { example: type.endsWith('json') ? (JSON.parse(sample.text) as unknown) : sample.text }
      : {};
  return Object.fromEntries(accepts.map((type) => [type, { schema: schemaOf(type), ...exampleOf(type) }]));
}

const transformFailures: Schema = Object.fromEntries(
  [
    [415, 'The body is of a type that the model does not take.'] as const,
    [503, 'The server has more to do than it can, or is not ready.'] as const,
    [504, 'The transform did not end in time.'] as const,
  ].map(([status, description]) => [
    status,
    { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
  ]),
);

function object(properties: Record<string, Schema>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function bodySchema(input: TensorSpec): Schema {
  const shape = input.shape[0] === 1 && input.shape.length > 1 ? [-1, ...input.shape.slice(1)] : input.shape;
  const data = shape.reduceRight<Schema>(
    (items, size) => ({ type: 'array', items, minItems: size < 0 ? 1 : size, ...(size < 0 ? {} : { maxItems: size }) }),
    input.missing ? { anyOf: [scalar(input.datatype), { type: 'null' }] } : scalar(input.datatype),
  );
  return {
    type: 'object',
    properties: { data: { ...data, description: `${input.name} ${describeSpec(input)}` } },
    // A body without data that has other keys is a typing error.
    anyOf: [{ required: ['data'] }, { maxProperties: 0 }],
    description: 'Without data: the sample.',
  };
}

function rowSchema(output: TensorSpec): Schema {
  const row = output.shape.length <= 1 ? [1] : output.shape.slice(1);
  return row.reduceRight<Schema>(
    (items, size) => ({ type: 'array', items, ...(size < 0 ? {} : { minItems: size, maxItems: size }) }),
    scalar(output.datatype),
  );
}

function labelSchema(contract: Contract): Schema {
  return { type: 'string', ...(contract.labels ? { enum: contract.labels.names } : {}) };
}

/** JSON Schema of one element. */
function scalar(datatype: Datatype): Schema {
  if (datatype === 'BYTES') return { type: 'string' };
  if (datatype === 'BOOL') return { type: 'boolean' };
  if (datatype === 'FP32')
    return { type: 'number', format: 'float', minimum: -3.4028234663852886e38, maximum: 3.4028234663852886e38 };
  if (datatype === 'FP64') return { type: 'number', format: 'double' };
  if (datatype === 'FP16') return { type: 'number', minimum: -65504, maximum: 65504 };
  const bits = Math.min(53, Number(datatype.replace(/\D/g, '')));
  const unsigned = datatype.startsWith('U');
  const most = 2 ** (unsigned || bits === 53 ? bits : bits - 1) - 1;
  return { type: 'integer', minimum: unsigned ? 0 : bits === 53 ? -most : -most - 1, maximum: most };
}
