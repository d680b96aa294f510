import type { Awaiting } from './body-watch.ts';
import { directAnswer } from './direct-answers.ts';
import type { DirectJob, DirectRequest, DirectRoute } from './front/index.ts';
import type { Handler } from './router.ts';

/** A route without a body, for the front door. @param handler with its exchange around */
export function readingRoute(handler: Handler<DirectRequest>): DirectRoute {
  return { method: 'GET', begin: (request) => new Reading(handler, request) };
}

class Reading implements DirectJob, Awaiting {
  arrived = false;
  readonly request: DirectRequest;
  readonly #handler: Handler<DirectRequest>;

  constructor(handler: Handler<DirectRequest>, request: DirectRequest) {
    this.#handler = handler;
    this.request = request;
  }

  await(): void {}

  take(): void {
    this.arrived = true;
    this.#answer();
  }

  fail(): void {}

  async #answer(): Promise<void> {
    const response = await this.#handler(this.request);
    const body = Buffer.from(await response.arrayBuffer());
    this.request.reply(directAnswer(response.status, Object.fromEntries(response.headers), body));
  }
}
