import type { Peer } from './front/index.ts';

/** So many requests in a tick are asked for their connection; the others pass unseen. */
const LOOKS = 100;
const TICK_MS = 100;
/** Connections that were not seen for so many ages are forgotten, when so many ticks with requests have gone by. */
const FORGET = 2;
const FORGET_TICKS = 100;

/**
 * Finds connections that have lasted for long enough, so that clients that keep theirs come to new replicas too: a
 * Service balances connections, not requests. What Bun tells of a connection is its peer's address, and asking costs a
 * microsecond, so only some requests of a busy server are looked at: a connection that is used much is soon among them.
 */
export class ConnectionAge {
  readonly #ageMs: number;
  readonly #first = new Map<string, { readonly since: number; readonly limitMs: number; seen: number }>();
  /** Runs while requests come: an idle server is not woken. */
  #tick: ReturnType<typeof setTimeout> | undefined;
  #ticks = 0;
  #looks = LOOKS;

  /** @param ageMs milliseconds; each connection gets 0.9 to 1.1 of it, so that they do not all come back at once. 0: never */
  constructor(ageMs: number) {
    this.#ageMs = ageMs;
  }

  /** How long a connection may last that is opened now, milliseconds. */
  limitMs(): number {
    return this.#ageMs === 0 ? Number.POSITIVE_INFINITY : this.#ageMs * (0.9 + Math.random() * 0.2);
  }

  /** True when the answer to this request should be the last on its connection. */
  isOver(request: Request, peer: (request: Request) => Peer | null): boolean {
    if (this.#ageMs === 0 || this.#looks <= 0) return false;
    this.#looks--;
    this.#tick ??= this.#nextTick();
    const from = peer(request);
    if (!from) return false;
    const key = `${from.address} ${from.port}`;
    const now = performance.now();
    const known = this.#first.get(key);
    if (!known) {
      this.#first.set(key, { since: from.since ?? now, limitMs: this.limitMs(), seen: now });
      return false;
    }
    known.seen = now;
    if (now - known.since < known.limitMs) return false;
    this.#first.delete(key);
    return true;
  }

  close(): void {
    clearTimeout(this.#tick);
  }

  #nextTick(): ReturnType<typeof setTimeout> {
    const tick = setTimeout(() => {
      this.#tick = undefined;
      this.#looks = LOOKS;
      if (++this.#ticks % FORGET_TICKS === 0) this.#forget();
    }, TICK_MS);
    tick.unref();
    return tick;
  }

  #forget(): void {
    const before = performance.now() - this.#ageMs * FORGET;
    for (const [key, { seen }] of this.#first) if (seen < before) this.#first.delete(key);
  }
}
