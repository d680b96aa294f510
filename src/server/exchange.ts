import { type ErrorBody, json, type MakeAnswer, makeErrorAnswer } from './answer.ts';
import type { ConnectionAge } from './connection-age.ts';
import { DirectRequest, type Peer } from './front/index.ts';
import type { Incoming, Outgoing } from './incoming.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Asked } from './prediction-log/index.ts';
import type { Handler } from './router.ts';

/** A request's own id, taken from the client and given back to it. */
export const REQUEST_ID = 'x-request-id';
/** What is longer is cut, in logs and answers. */
export const LONGEST_ID = 200;
/** What answers: `name:version@digest`, as an image's reference names all three. */
export const MODEL_HEADER = 'inlay-model';

export interface ExchangeOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ages: ConnectionAge;
  readonly accessLog: boolean;
  /** `name:version@digest`; undefined before there is a model. */
  readonly model: string | undefined;
  /** How errors are told, where not as our own routes do. */
  readonly errorBody: ErrorBody | undefined;
  readonly peer: (request: Request) => Peer | null;
}

/** What happens to every request of one route beside its answer: headers, counting, logs. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #route: string;
  readonly #ok: (seconds: number) => void;
  /** For answers that take their headers when they are made, which is quicker than to set them afterwards. */
  readonly init: ResponseInit;
  /** The same for answers that are no Responses: header lines. */
  readonly lines: string;

  constructor(route: string, options: ExchangeOptions) {
    this.#route = route;
    this.#options = options;
    this.#ok = options.metrics.requestsOf(route, 200);
    this.init = options.model === undefined ? {} : { headers: new Headers({ [MODEL_HEADER]: options.model }) };
    this.lines = options.model === undefined ? '' : `${MODEL_HEADER}: ${options.model}\r\n`;
  }

  /** What the prediction log says of a request beside its values. */
  asked(request: Incoming): Asked {
    return { route: this.#route, ...tracingOf(request) };
  }

  /** A handler with all of it around. */
  wrap<R extends Incoming>(handler: Handler<R>): Handler<R> {
    return (request) => {
      const started = performance.now();
      try {
        const answer = handler(request);
        if (!(answer instanceof Promise)) return this.finish(request, answer, started);
        return answer.then(
          (response) => this.finish(request, response, started),
          (error) => this.refuse(request, error, started),
        );
      } catch (error) {
        return this.refuse(request, error, started);
      }
    };
  }

  /** @param started when the request came, milliseconds of performance.now() @param named it has the model's header */
  finish<A extends Outgoing>(request: Incoming, response: A, started: number, named = false): A {
    const { model, accessLog } = this.#options;
    if (!named && model !== undefined) response.headers.set(MODEL_HEADER, model);
    const id = request.headers.get(REQUEST_ID);
    if (id !== null) response.headers.set(REQUEST_ID, id.slice(0, LONGEST_ID));
    const now = performance.now();
    if (this.#isLast(request, now)) response.headers.set('connection', 'close');
    const ms = now - started;
    const { status } = response;
    if (status === 200) this.#ok(ms / 1000);
    else this.#options.metrics.requestsOf(this.#route, status)(ms / 1000);
    if (accessLog) this.#logAccess(request, response, ms);
    return response;
  }

  refuse(request: Incoming, error: unknown, started: number): Response {
    return this.refuseAs(request, error, started, json);
  }

  /** @param make makes the answer */
  refuseAs<A extends Outgoing>(request: Incoming, error: unknown, started: number, make: MakeAnswer<A>): A {
    const { log, metrics, errorBody } = this.#options;
    metrics.refused(error);
    return this.finish(request, makeErrorAnswer(error, log, { ...tracingOf(request) }, errorBody, make), started);
  }

  #isLast(request: Incoming, now: number): boolean {
    const { ages, peer } = this.#options;
    return request instanceof DirectRequest ? request.isLate(now) : ages.isOver(request, peer);
  }

  #peerOf(request: Incoming): Peer | null {
    return request instanceof DirectRequest ? request.peer : this.#options.peer(request);
  }

  #logAccess(request: Incoming, response: Outgoing, ms: number): void {
    const known = response.headers.get(REQUEST_ID);
    const id = known ?? crypto.randomUUID();
    if (known === null) response.headers.set(REQUEST_ID, id);
    this.#options.log.info('request', {
      ...tracingOf(request),
      requestId: id,
      method: request.method,
      route: this.#route,
      status: response.status,
      ms: Number(ms.toFixed(3)),
      peer: this.#peerOf(request)?.address,
    });
  }
}

/** W3C Trace Context: version (ff is none), trace id, parent id (neither all zeros), flags; later versions may say more. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/;

/** What ties a log line to a request: its id and its trace. */
export interface Tracing {
  readonly requestId?: string;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** @param header a request's header, or gRPC's metadata, by its name */
export function tracing(header: (name: string) => string | null | undefined): Tracing {
  const [, traceId, spanId] = TRACEPARENT.exec(header('traceparent') ?? '') ?? [];
  const id = header(REQUEST_ID);
  return {
    ...(id ? { requestId: id.slice(0, LONGEST_ID) } : {}),
    ...(traceId === undefined || spanId === undefined ? {} : { traceId, spanId }),
  };
}

function tracingOf({ headers }: Incoming): Tracing {
  return tracing((name) => headers.get(name));
}
