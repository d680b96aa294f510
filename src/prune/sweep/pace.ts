/** What tells the time and waits. */
interface Waiting {
  now(): number;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Lets work begin at most so often. */
export class Pace {
  readonly #everyMs: number;
  readonly #waiting: Waiting;
  #next = 0;

  /** @param rate times a second */
  constructor(rate: number, waiting: Waiting = REAL) {
    this.#everyMs = 1000 / rate;
    this.#waiting = waiting;
  }

  /** Returns when it is this one's turn; at once where the signal has aborted. */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.#waiting.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#everyMs;
    if (at > now && !signal?.aborted) await this.#waiting.sleep(at - now, signal);
  }
}

const REAL: Waiting = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};
