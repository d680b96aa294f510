import { create } from '@bufbuild/protobuf';
import type { Tensor } from '../../../contract/index.ts';
import type { Asked } from '../../prediction-log/index.ts';
import { bytesOfTensor, tensorOfBytes } from '../binary-tensor.ts';
import { badRequest, type OipModel, quote } from '../model.ts';
import { contentsOf, hasContents, tensorOfContents } from './contents.ts';
import { type ModelInferRequest, type ModelInferResponse, ModelInferResponseSchema } from './gen/inference_pb.ts';

/**
 * Answers a ModelInfer: in raw contents where they came so, or where an output has no other form; else in typed ones.
 * @param gone true once nobody waits for the answer @param asked what the prediction log says of the call
 * @throws HttpError 400 and 404, INPUT_INVALID, OUTPUT_NOT_FINITE, OVERLOADED, CLIENT_GONE
 */
export async function modelInfer(
  model: OipModel,
  request: ModelInferRequest,
  gone: () => boolean,
  asked: Asked,
): Promise<ModelInferResponse> {
  model.check(request.modelName, request.modelVersion);
  const feeds = model.feeds(readInputs(model, request));
  const wanted = request.outputs.map(({ name }) => name);
  const outputs = model.outputs(wanted);
  const answers = await model.infer(feeds, outputs, gone, () => ({ ...asked, id: request.id || undefined }));
  const names = wanted.length === 0 ? outputs : wanted;
  const tensors = names.map((name) => answers[name] as Tensor);
  const raw = request.rawInputContents.length > 0 || !tensors.every(({ datatype }) => hasContents(datatype));
  const { name, version } = model.contract;
  return create(ModelInferResponseSchema, {
    modelName: name,
    modelVersion: version,
    id: request.id,
    outputs: tensors.map((tensor, i) => ({
      name: names[i] as string,
      datatype: tensor.datatype,
      shape: tensor.shape.map(BigInt),
      ...(raw ? {} : { contents: contentsOf(tensor) }),
    })),
    rawOutputContents: raw ? tensors.map(bytesOfTensor) : [],
  });
}

function readInputs(model: OipModel, { inputs, rawInputContents }: ModelInferRequest): Map<string, Tensor> {
  const isRaw = rawInputContents.length > 0;
  if (isRaw && rawInputContents.length !== inputs.length)
    throw badRequest(
      `there are ${inputs.length} inputs and ${rawInputContents.length} raw_input_contents`,
      'Send the contents of all inputs raw, or of none.',
    );
  const given = new Map<string, Tensor>();
  for (const [i, { name, datatype, shape, contents }] of inputs.entries()) {
    const spec = model.input(name);
    if (given.has(name)) throw badRequest(`input ${quote(name)} stands twice`);
    const sizes = shape.map(Number);
    if (isRaw && contents) throw badRequest(`input ${quote(name)} has typed contents beside raw_input_contents`);
    if (!isRaw && !contents) throw badRequest(`input ${quote(name)} has no contents`);
    given.set(
      name,
      contents
        ? tensorOfContents(spec, datatype, sizes, contents)
        : tensorOfBytes(spec, datatype, sizes, rawInputContents[i] as Uint8Array),
    );
  }
  return given;
}
