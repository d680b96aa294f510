/** What holds bytes for a client that does not take them. */
export interface Holder {
  /** From now on it waits for `stalledS` only. */
  hurry(): void;
}

/** A client that takes nothing of what lies here for it for so long is given up, s: as long as Bun's server waits for one. */
const STALLED_S = 75;
/** The same once nothing else keeps the server from its end, s. */
const LAST_STALLED_S = 5;

/** How much lies in this process for connections that do not take it, or may not be read on: all of them together are bounded. */
export class HeldBytes {
  readonly #most: number;
  readonly #cut: () => void;
  readonly #holders = new Set<Holder>();
  #bytes = 0;
  /** A client that takes nothing for so long is given up, s. */
  stalledS = STALLED_S;

  /** @param most bytes @param cut told of a connection that is ended, since it would be more */
  constructor(most: number, cut: () => void) {
    this.#most = most;
    this.#cut = cut;
  }

  /** From here on a connection does not take more from where it could wait as well, bytes: a few may have answers of any size. */
  get share(): number {
    return this.#most / 4;
  }

  get any(): boolean {
    return this.#bytes > 0;
  }

  /** Nobody who takes nothing is waited for much longer; who takes a little now and then is. */
  hurry(): void {
    this.stalledS = LAST_STALLED_S;
    for (const holder of this.#holders) holder.hurry();
  }

  /**
   * One connection holds another amount than before, bytes.
   * @returns false where that is too much: the connection is to be ended, which holds nothing any more then
   */
  change(holder: Holder, before: number, now: number): boolean {
    this.#bytes += now - before;
    if (now > 0) this.#holders.add(holder);
    else this.#holders.delete(holder);
    if (now <= before || this.#bytes <= this.#most) return true;
    this.#cut();
    return false;
  }
}
