import type { Contract, Tensor } from '../../contract/index.ts';
import type { Answers } from '../../engine/index.ts';
import { bytesOfTensor } from './binary-tensor.ts';
import { jsonOfTensor } from './json-tensor.ts';
import { HEADER_LENGTH, type InferRequest } from './rest-request.ts';

/** The body of an answer, and the headers that say what it is. */
export interface InferAnswer {
  readonly body: string | Buffer<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** As Response.json has it. */
const JSON_HEADERS = { 'content-type': 'application/json;charset=utf-8' };

/** The answer to an inference request: JSON, with binary tensors behind it where they were asked for. */
export function inferAnswer({ name, version }: Contract, request: InferRequest, answers: Answers): InferAnswer {
  const tensors: Uint8Array[] = [];
  const outputs = request.answer.map((asked) => {
    const tensor = answers[asked.name] as Tensor;
    const head = { name: asked.name, datatype: tensor.datatype, shape: tensor.shape };
    if (!asked.binary) return { ...head, data: jsonOfTensor(tensor) };
    const bytes = bytesOfTensor(tensor);
    tensors.push(bytes);
    return { ...head, parameters: { binary_data_size: bytes.length } };
  });
  const body = {
    model_name: name,
    model_version: version,
    ...(request.id === undefined ? {} : { id: request.id }),
    outputs,
  };
  if (tensors.length === 0) return { body: JSON.stringify(body), headers: JSON_HEADERS };
  const json = Buffer.from(JSON.stringify(body));
  return {
    body: Buffer.concat([json, ...tensors]),
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(json.length) },
  };
}
