import type { Awaiting, BodyWatch } from './body-watch.ts';
import { directAnswer, directJson } from './direct-answers.ts';
import type { Exchange } from './exchange.ts';
import type { DirectJob, DirectRequest, DirectRoute } from './front/index.ts';

export interface WholeBodyOptions {
  readonly exchange: Exchange;
  readonly bodies: BodyWatch;
  /** @param bytes the body, for whoever wants to keep it */
  readonly answer: (
    request: DirectRequest,
    bytes: Uint8Array,
  ) => Promise<{ readonly body: string | Buffer; readonly headers: Readonly<Record<string, string>> }>;
}

/** A route that the front door may ask, and that takes bodies as they are. */
export function wholeBodyRoute(options: WholeBodyOptions): DirectRoute {
  return { method: 'POST', begin: (request) => new WholeBody(options, request) };
}

class WholeBody implements DirectJob, Awaiting {
  arrived = false;
  readonly request: DirectRequest;
  readonly #options: WholeBodyOptions;
  readonly #started = performance.now();

  constructor(options: WholeBodyOptions, request: DirectRequest) {
    this.#options = options;
    this.request = request;
  }

  await(): void {
    this.#options.bodies.watch(this);
  }

  take(bytes: string): void {
    if (this.arrived) return;
    this.arrived = true;
    const { exchange, answer } = this.#options;
    answer(this.request, Buffer.from(bytes, 'latin1')).then(
      ({ body, headers }) =>
        this.request.reply(exchange.finish(this.request, directAnswer(200, headers, body), this.#started)),
      (error) => this.fail(error),
    );
  }

  fail(error: unknown): void {
    this.request.reply(this.#options.exchange.refuseAs(this.request, error, this.#started, directJson));
  }
}
