import { create, type Message } from '@bufbuild/protobuf';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { InlayError } from '../../../error/index.ts';
import type { Log } from '../../log.ts';
import { modelMetadata, SERVER_METADATA } from '../metadata.ts';
import type { OipModel } from '../model.ts';
import type { NotReady } from '../routes.ts';
import {
  type ModelInferRequest,
  type ModelMetadataRequest,
  ModelMetadataResponseSchema,
  type ModelReadyRequest,
  ModelReadyResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema,
} from './gen/inference_pb.ts';
import { modelInfer } from './infer.ts';
import { statusOf } from './status.ts';

export interface Serving {
  readonly notReady: NotReady;
  /** Undefined while it loads. */
  readonly model: () => OipModel | undefined;
  readonly log: Log;
}

/** How many calls are under way: a server that closes waits for them. */
export interface Calls {
  underWay: number;
}

/** The handlers of inference.GRPCInferenceService, by method. */
export function inferenceHandlers({ notReady, model, log }: Serving, calls: Calls) {
  const served = (): OipModel => {
    const one = model();
    if (!one) throw new InlayError('NOT_READY', notReady() ?? 'the model is loading');
    return one;
  };
  const unary = <Request>(
    answer: (request: Request) => Message | Promise<Message>,
  ): handleUnaryCall<Request, Message> => {
    return async ({ request }, callback) => {
      calls.underWay++;
      try {
        callback(null, await answer(request));
      } catch (error) {
        callback(statusOf(error, log));
      } finally {
        calls.underWay--;
      }
    };
  };
  return {
    serverLive: unary(() => create(ServerLiveResponseSchema, { live: true })),
    serverReady: unary(() => create(ServerReadyResponseSchema, { ready: notReady() === undefined })),
    modelReady: unary(({ name, version }: ModelReadyRequest) => {
      served().check(name, version);
      return create(ModelReadyResponseSchema, { ready: notReady() === undefined });
    }),
    serverMetadata: unary(() =>
      create(ServerMetadataResponseSchema, { ...SERVER_METADATA, extensions: [...SERVER_METADATA.extensions] }),
    ),
    modelMetadata: unary(({ name, version }: ModelMetadataRequest) => {
      served().check(name, version);
      const metadata = modelMetadata(served());
      const tensors = (list: typeof metadata.inputs) => list.map((one) => ({ ...one, shape: one.shape.map(BigInt) }));
      return create(ModelMetadataResponseSchema, {
        ...metadata,
        inputs: tensors(metadata.inputs),
        outputs: tensors(metadata.outputs),
      });
    }),
    modelInfer: unary((request: ModelInferRequest) => modelInfer(served(), request)),
  };
}
