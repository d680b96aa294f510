import { HttpError } from './answer.ts';

/** A request whose body is awaited. */
export interface Awaiting {
  /** True once the body is there, or nobody waits for it any more. */
  arrived: boolean;
  fail(error: unknown): void;
}

/**
 * Ends requests whose bodies do not come: a sender that is slow on purpose would hold its connection, and what was read of
 * its body, for as long as it likes. Nearly all bodies come in the turn of the event loop that brought the head: only the
 * others are kept and looked after.
 */
export class BodyDeadline {
  readonly #limitMs: number;
  readonly #late = new Map<Awaiting, number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #fresh: Awaiting[] = [];

  /** @param limitMs from the end of the head to the end of the body, milliseconds */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => this.#sweep(), Math.min(1000, limitMs / 4));
    this.#timer.unref();
  }

  watch(request: Awaiting): void {
    if (this.#fresh.push(request) === 1) setImmediate(this.#sort);
  }

  /** What a body is read into, or 408. */
  within<T>(body: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const awaiting: Awaiting = { arrived: false, fail: reject };
      this.watch(awaiting);
      body.then(resolve, reject).finally(() => {
        awaiting.arrived = true;
      });
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  readonly #sort = (): void => {
    const now = performance.now();
    for (const request of this.#fresh) if (!request.arrived) this.#late.set(request, now);
    this.#fresh = [];
  };

  #sweep(): void {
    const before = performance.now() - this.#limitMs;
    for (const [request, since] of this.#late) {
      if (!request.arrived && since > before) continue;
      this.#late.delete(request);
      if (request.arrived) continue;
      request.arrived = true;
      request.fail(
        new HttpError(408, 'BODY_TIMEOUT', `the body did not come within ${this.#limitMs / 1000} s`, {
          hint: 'Send it at once, or raise BODY_TIMEOUT_S.',
          headers: { connection: 'close' },
        }),
      );
    }
  }
}
