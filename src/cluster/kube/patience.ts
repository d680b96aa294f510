/** How long, and how often, something is tried again. */
export class Patience {
  readonly #until: number;
  #waitMs = 250;

  constructor(patienceMs: number) {
    this.#until = performance.now() + patienceMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  /** Waits. @returns false when there is no time left */
  async more(askedMs: number | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const waitMs = askedMs ?? this.#waitMs;
    if (performance.now() + waitMs > this.#until || signal?.aborted) return false;
    this.#waitMs = Math.min(this.#waitMs * 2, 4000);
    await Bun.sleep(waitMs);
    return true;
  }
}
