import { Metadata, type ServerUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import { LONGEST_ID, MODEL_HEADER, REQUEST_ID, tracing } from '../../exchange.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Asked } from '../../prediction-log/index.ts';
import { statusOf } from './status.ts';

export interface CallExchangeOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly accessLog: boolean;
  /** `name:version@digest`; undefined before there is a model. */
  readonly modelHeader: () => string | undefined;
}

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPeer'>;

/** What happens to a call of one method beside its answer: metadata, counting, logs; as Exchange for HTTP. */
export class CallExchange {
  readonly #options: CallExchangeOptions;
  readonly #route: string;
  readonly #call: Call;
  readonly #started = performance.now();

  constructor(route: string, call: Call, options: CallExchangeOptions) {
    this.#route = route;
    this.#call = call;
    this.#options = options;
  }

  /** What the prediction log says of the call beside its values. */
  get asked(): Asked {
    return { route: this.#route, ...this.#tracing() };
  }

  /** A call that is answered. Returns the metadata that goes before the answer. */
  answered(): Metadata {
    this.#count(status.OK);
    return this.#metadata();
  }

  /** A call that failed, as its client is told: the metadata comes behind the status. */
  refused(error: unknown): ServiceError {
    const { log, metrics } = this.#options;
    metrics.refused(error);
    const failure = statusOf(error, log, { ...this.#tracing() });
    this.#count(failure.code);
    return Object.assign(failure, { metadata: this.#metadata() });
  }

  #tracing() {
    return tracing((name) => this.#header(name));
  }

  #header(name: string): string | undefined {
    return this.#call.metadata.get(name)[0]?.toString();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    const model = this.#options.modelHeader();
    if (model !== undefined) metadata.set(MODEL_HEADER, model);
    const id = this.#header(REQUEST_ID);
    if (id !== undefined) metadata.set(REQUEST_ID, id.slice(0, LONGEST_ID));
    return metadata;
  }

  #count(code: status): void {
    const { log, metrics, accessLog } = this.#options;
    const ms = performance.now() - this.#started;
    metrics.requestsOf(this.#route, status[code])(ms / 1000);
    if (!accessLog) return;
    log.info('request', {
      ...this.#tracing(),
      method: 'gRPC',
      route: this.#route,
      status: status[code],
      ms: Number(ms.toFixed(3)),
      peer: this.#call.getPeer(),
    });
  }
}
