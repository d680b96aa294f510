/** How much lies in this process for connections that do not take it, or may not be read on: all of them together are bounded. */
export class HeldBytes {
  readonly #most: number;
  readonly #cut: () => void;
  #bytes = 0;

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

  /**
   * One connection holds another amount than before, bytes.
   * @returns false where that is too much: the connection is to be ended, which holds nothing any more then
   */
  change(before: number, now: number): boolean {
    this.#bytes += now - before;
    if (now <= before || this.#bytes <= this.#most) return true;
    this.#cut();
    return false;
  }
}
