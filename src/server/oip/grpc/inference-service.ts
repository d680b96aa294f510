import { create, type Message } from '@bufbuild/protobuf';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { InlayError } from '../../../error/index.ts';
import { modelMetadata, SERVER_METADATA } from '../metadata.ts';
import type { OipModel } from '../model.ts';
import type { NotReady } from '../routes.ts';
import { CallExchange, type CallExchangeOptions } from './call-exchange.ts';
import {
  GRPCInferenceService,
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

export interface Serving extends CallExchangeOptions {
  readonly notReady: NotReady;
  readonly notLive: NotReady;
  /** Undefined while it loads. */
  readonly model: () => OipModel | undefined;
}

/** How many calls are under way: a server that closes waits for them. */
export interface Calls {
  underWay: number;
}

/** The handlers of inference.GRPCInferenceService, by method. */
export function inferenceHandlers(serving: Serving, calls: Calls) {
  const { notReady, notLive, model } = serving;
  const served = (): OipModel => {
    const one = model();
    if (!one) throw new InlayError('NOT_READY', notReady() ?? 'the model is loading');
    return one;
  };
  const unary = <Request>(
    method: string,
    answer: (request: Request, gone: () => boolean, exchange: CallExchange) => Message | Promise<Message>,
  ): handleUnaryCall<Request, Message> => {
    const route = `/${GRPCInferenceService.typeName}/${method}`;
    return async (call, callback) => {
      calls.underWay++;
      const exchange = new CallExchange(route, call, serving);
      try {
        const message = await answer(call.request, () => call.cancelled, exchange);
        call.sendMetadata(exchange.answered());
        callback(null, message);
      } catch (error) {
        callback(exchange.refused(error));
      } finally {
        calls.underWay--;
      }
    };
  };
  return {
    serverLive: unary('ServerLive', () => create(ServerLiveResponseSchema, { live: notLive() === undefined })),
    serverReady: unary('ServerReady', () => create(ServerReadyResponseSchema, { ready: notReady() === undefined })),
    modelReady: unary('ModelReady', ({ name, version }: ModelReadyRequest) => {
      served().check(name, version);
      return create(ModelReadyResponseSchema, { ready: notReady() === undefined });
    }),
    serverMetadata: unary('ServerMetadata', () =>
      create(ServerMetadataResponseSchema, { ...SERVER_METADATA, extensions: [...SERVER_METADATA.extensions] }),
    ),
    modelMetadata: unary('ModelMetadata', ({ name, version }: ModelMetadataRequest) => {
      served().check(name, version);
      const metadata = modelMetadata(served());
      const tensors = (list: typeof metadata.inputs) => list.map((one) => ({ ...one, shape: one.shape.map(BigInt) }));
      return create(ModelMetadataResponseSchema, {
        ...metadata,
        inputs: tensors(metadata.inputs),
        outputs: tensors(metadata.outputs),
      });
    }),
    modelInfer: unary('ModelInfer', (request: ModelInferRequest, gone, { asked }) =>
      modelInfer(served(), request, gone, asked),
    ),
  };
}
