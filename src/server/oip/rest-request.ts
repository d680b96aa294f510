// valibot, not zod: this is bundled into the image.
import * as v from 'valibot';
import type { Tensor } from '../../contract/index.ts';
import type { Feeds } from '../../engine/index.ts';
import { parseJson, utf8 } from '../body.ts';
import { shapeOfBytes, tensorOfBytes } from './binary-tensor.ts';
import { tensorOfJson } from './json-tensor.ts';
import { badRequest, type OipModel, quote } from './model.ts';

/** Tells where the JSON of a request or an answer ends and binary tensors begin, bytes. */
export const HEADER_LENGTH = 'inference-header-content-length';

// Python's clients write null for what is left out. Not v.record: to valibot an array is a record too.
const parameters = v.nullish(
  v.custom<Readonly<Record<string, unknown>>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'it is not an object',
  ),
);
const requestSchema = v.object({
  id: v.nullish(v.string()),
  parameters,
  inputs: v.array(
    v.object({
      name: v.string(),
      shape: v.array(v.number()),
      datatype: v.string(),
      parameters,
      data: v.optional(v.unknown()),
    }),
  ),
  outputs: v.nullish(v.array(v.object({ name: v.string(), parameters }))),
});
type Body = v.InferOutput<typeof requestSchema>;

/** An inference request, read and checked. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly feeds: Feeds;
  /** What to compute, from OipModel.outputs. */
  readonly outputs: readonly string[];
  /** What the answer holds, in the order asked for; `binary`: behind the JSON. */
  readonly answer: readonly { readonly name: string; readonly binary: boolean }[];
}

/**
 * Reads the body of a POST .../infer: JSON, or JSON with binary tensors behind it, or with a header length of 0 the bytes of
 * the model's one input.
 * @throws HttpError 400, INPUT_INVALID
 */
export function readInferRequest(model: OipModel, headerLength: string | null, bytes: Uint8Array): InferRequest {
  if (headerLength === null) return fromBody(model, bytes, bytes.subarray(bytes.length));
  const length = /^\d{1,10}$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (!(length <= bytes.length))
    throw badRequest(
      `Inference-Header-Content-Length is ${quote(headerLength)}; the body has ${bytes.length} bytes`,
      'It is how many bytes the JSON before the binary tensors has.',
    );
  return length === 0 ? fromBytes(model, bytes) : fromBody(model, bytes.subarray(0, length), bytes.subarray(length));
}

function fromBody(model: OipModel, json: Uint8Array, tensors: Uint8Array): InferRequest {
  // The first mistake is told: a list of all would take hundreds of times the body's memory.
  const parsed = v.safeParse(requestSchema, parseJson(utf8(json)), { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw badRequest(`the request's ${v.getDotPath(issue) ?? 'JSON'} is wrong: ${issue.message}`);
  }
  const body: Body = parsed.output;
  const given = readInputs(model, body.inputs, tensors);
  const asked = body.outputs ?? [];
  const outputs = model.outputs(asked.map(({ name }) => name));
  const all = flag(body.parameters, 'binary_data_output') ?? false;
  return {
    id: body.id ?? undefined,
    feeds: model.feeds(given),
    outputs,
    answer:
      asked.length === 0
        ? outputs.map((name) => ({ name, binary: all }))
        : asked.map((one) => ({ name: one.name, binary: flag(one.parameters, 'binary_data') ?? all })),
  };
}

function readInputs(model: OipModel, inputs: Body['inputs'], tensors: Uint8Array): Map<string, Tensor> {
  const given = new Map<string, Tensor>();
  let at = 0;
  for (const { name, shape, datatype, parameters: more, data } of inputs) {
    const spec = model.input(name);
    if (given.has(name)) throw badRequest(`input ${quote(name)} stands twice`);
    const size = more?.binary_data_size;
    if (size === undefined) {
      if (data === undefined) throw badRequest(`input ${quote(name)} has neither data nor binary_data_size`);
      given.set(name, tensorOfJson(spec, datatype, shape, data));
      continue;
    }
    if (data !== undefined) throw badRequest(`input ${quote(name)} has both data and binary_data_size`);
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > tensors.length - at)
      throw badRequest(
        `input ${quote(name)}: binary_data_size is ${quote(String(size))}; ${tensors.length - at} bytes are left`,
        'Binary tensors stand behind the JSON, in the order of the inputs.',
      );
    given.set(name, tensorOfBytes(spec, datatype, shape, tensors.subarray(at, at + size)));
    at += size;
  }
  if (at < tensors.length) throw badRequest(`${tensors.length - at} bytes stand behind the last binary tensor`);
  return given;
}

function fromBytes(model: OipModel, bytes: Uint8Array): InferRequest {
  const [spec, second] = model.inputs;
  if (!spec || second) throw badRequest('bytes alone fit a model with one input', 'Send the JSON of the protocol.');
  // A text stands alone there too, without its length (Triton's extension_binary_data).
  const framed = spec.datatype === 'BYTES' ? withLength(bytes) : bytes;
  const tensor = tensorOfBytes(spec, spec.datatype, shapeOfBytes(spec, bytes), framed);
  const outputs = model.outputs([]);
  return {
    id: undefined,
    feeds: model.feeds(new Map([[spec.name, tensor]])),
    outputs,
    answer: outputs.map((name) => ({ name, binary: true })),
  };
}

function withLength(bytes: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(4 + bytes.length);
  framed.writeUInt32LE(bytes.length);
  framed.set(bytes, 4);
  return framed;
}

function flag(given: Body['parameters'], name: string): boolean | undefined {
  const value = given?.[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badRequest(`parameter ${name} is ${quote(String(value))}, not true or false`);
}
