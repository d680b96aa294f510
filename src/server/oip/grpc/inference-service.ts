import { create, type Message } from '@bufbuild/protobuf';
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { InlayError } from '../../../error/index.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import { modelMetadata, SERVER_METADATA } from '../metadata.ts';
import type { OipModel } from '../model.ts';
import type { NotReady } from '../routes.ts';
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
import { statusOf } from './status.ts';

export interface Serving {
  readonly notReady: NotReady;
  readonly notLive: NotReady;
  /** Undefined while it loads. */
  readonly model: () => OipModel | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How many calls are under way: a server that closes waits for them. */
export interface Calls {
  underWay: number;
}

/** The handlers of inference.GRPCInferenceService, by method. */
export function inferenceHandlers({ notReady, notLive, model, log, metrics }: Serving, calls: Calls) {
  const served = (): OipModel => {
    const one = model();
    if (!one) throw new InlayError('NOT_READY', notReady() ?? 'the model is loading');
    return one;
  };
  const unary = <Request>(
    method: string,
    answer: (request: Request, gone: () => boolean) => Message | Promise<Message>,
  ): handleUnaryCall<Request, Message> => {
    const route = `/${GRPCInferenceService.typeName}/${method}`;
    return async (call, callback) => {
      calls.underWay++;
      const started = performance.now();
      const count = (code: status) => metrics.requestsOf(route, status[code])((performance.now() - started) / 1000);
      try {
        const message = await answer(call.request, () => call.cancelled);
        count(status.OK);
        callback(null, message);
      } catch (error) {
        const failure = statusOf(error, log);
        metrics.refused(error);
        count(failure.code);
        callback(failure);
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
    modelInfer: unary('ModelInfer', (request: ModelInferRequest, gone) => modelInfer(served(), request, gone)),
  };
}
