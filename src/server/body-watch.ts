import { HttpError, RETRY_AFTER } from './answer.ts';
import { collectAfter } from './collect-after.ts';
import type { Incoming } from './incoming.ts';

/** A request whose body is awaited. */
export interface Awaiting {
  /** True once the body is there, or nobody waits for it any more. */
  arrived: boolean;
  readonly request: Incoming;
  fail(error: unknown): void;
}

export interface BodyLimits {
  /** From the end of the head to the end of the body, milliseconds. */
  readonly deadlineMs: number;
  /** Of one body. */
  readonly bytes: number;
  /** Of all bodies that are on their way. */
  readonly bytesTogether: number;
}

interface Late {
  readonly since: number;
  readonly bytes: number;
}

/**
 * Ends requests whose bodies do not come, and those that would take more memory, with others that are on their way, than there is: a
 * sender that is slow on purpose would hold its connection, and what was read of its body, for as long as it likes.
 * Nearly all bodies come in the turn of the event loop that brought the head: only the others are kept and looked after.
 */
export class BodyWatch {
  readonly #limits: BodyLimits;
  readonly #late = new Map<Awaiting, Late>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lateBytes = 0;
  #fresh: Awaiting[] = [];

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#sweep(), Math.min(1000, limits.deadlineMs / 4));
    this.#timer.unref();
  }

  watch(awaiting: Awaiting): void {
    if (this.#fresh.push(awaiting) === 1) setImmediate(this.#sort);
  }

  /** What a request's body is read into, or 408, or 503. */
  within<T>(request: Request, body: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const awaiting: Awaiting = { arrived: false, request, fail: reject };
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
    const since = performance.now();
    for (const awaiting of this.#fresh) if (!awaiting.arrived) this.#keep(awaiting, since);
    this.#fresh = [];
  };

  #keep(awaiting: Awaiting, since: number): void {
    const { bytes: most, bytesTogether } = this.#limits;
    // One that does not say how long it is can be as long as it may; one that is too long is refused anyway.
    const bytes = Math.min(most, Number(awaiting.request.headers.get('content-length') ?? most));
    if (this.#lateBytes + bytes > bytesTogether) this.#forgetArrived();
    if (this.#lateBytes > 0 && this.#lateBytes + bytes > bytesTogether) {
      end(awaiting, tooMuchTogether(bytesTogether));
      return;
    }
    this.#late.set(awaiting, { since, bytes });
    this.#lateBytes += bytes;
  }

  #forget(awaiting: Awaiting, { bytes }: Late): void {
    this.#late.delete(awaiting);
    this.#lateBytes -= bytes;
    collectAfter(bytes);
  }

  #forgetArrived(): void {
    for (const [awaiting, late] of this.#late) if (awaiting.arrived) this.#forget(awaiting, late);
  }

  #sweep(): void {
    this.#forgetArrived();
    const before = performance.now() - this.#limits.deadlineMs;
    for (const [awaiting, late] of this.#late) {
      if (late.since > before) continue;
      this.#forget(awaiting, late);
      end(awaiting, tooSlow(this.#limits.deadlineMs));
    }
  }
}

function end(awaiting: Awaiting, error: Error): void {
  awaiting.arrived = true;
  awaiting.fail(error);
}

// The rest of the body is not read, so the connection cannot be used again.
const CLOSE = { connection: 'close' };

function tooSlow(deadlineMs: number): HttpError {
  return new HttpError(408, 'BODY_TIMEOUT', `the body did not come within ${deadlineMs / 1000} s`, {
    hint: 'Send it at once, or raise BODY_TIMEOUT_S.',
    headers: CLOSE,
  });
}

function tooMuchTogether(bytes: number): HttpError {
  return new HttpError(503, 'OVERLOADED', `bodies of ${bytes} bytes are on their way already`, {
    hint: 'Try again in a moment, or raise MAX_BODIES_BYTES.',
    headers: { ...CLOSE, ...RETRY_AFTER },
  });
}
