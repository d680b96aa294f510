import { InlayError } from '../../error/index.ts';
import type { Settings } from '../settings.ts';

/** How long transforms may keep the thread from other work before a turn of the event loop is let through, milliseconds. */
const TURN_MS = 4;
/** As for the model's own queue: with some room, since what is let in and then waits for too long was refused late. */
const ADMITTED = 0.8;

interface Waiting {
  readonly since: number;
  readonly run: () => void;
  readonly fail: (error: InlayError) => void;
  readonly gone: () => boolean;
}

/**
 * Lets transforms run one after the other, first come first, with probes and bodies answered in between: decoding an image takes
 * milliseconds of the thread. Who would wait for too long is refused when it comes.
 */
export class Turns {
  readonly #limits: Pick<Settings, 'maxQueueRows' | 'maxQueueMs'>;
  #waiting: Waiting[] = [];
  #scheduled = false;
  /** Milliseconds a call, of late. */
  #callMs = 0;

  constructor(limits: Pick<Settings, 'maxQueueRows' | 'maxQueueMs'>) {
    this.#limits = limits;
  }

  /**
   * Calls `work` when its turn comes.
   * @param gone true when nobody waits for the result any more @throws OVERLOADED, CLIENT_GONE
   */
  run<T>(work: () => Promise<T>, gone: () => boolean): Promise<T> {
    const { maxQueueRows, maxQueueMs } = this.#limits;
    const { length } = this.#waiting;
    if (length > 0 && (length >= maxQueueRows || length * this.#callMs > maxQueueMs * ADMITTED))
      return Promise.reject(overloaded(`${length} requests wait already`));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        since: performance.now(),
        run: () => work().then(resolve, reject),
        fail: reject,
        gone,
      });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const started = performance.now();
    let now = started;
    let done = 0;
    for (const one of this.#waiting) {
      done++;
      if (one.gone()) one.fail(new InlayError('CLIENT_GONE', 'the client has gone'));
      else if (now - one.since > this.#limits.maxQueueMs)
        one.fail(overloaded(`this request has waited for ${this.#limits.maxQueueMs} ms`));
      else {
        // The part of it that keeps this thread; what it waits for keeps nobody.
        one.run();
        const after = performance.now();
        this.#callMs = this.#callMs === 0 ? after - now : this.#callMs * 0.9 + (after - now) * 0.1;
        now = after;
        if (now - started > TURN_MS) break;
      }
    }
    this.#waiting = this.#waiting.slice(done);
    if (this.#waiting.length > 0) this.#schedule();
  };
}

function overloaded(why: string): InlayError {
  return new InlayError('OVERLOADED', `the server has more to do than it can: ${why}`, {
    hint: 'Try again in a moment, or run more replicas.',
  });
}
