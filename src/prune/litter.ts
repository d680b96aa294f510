/** What a plan of a hundred thousand images needs, with Bun itself, bytes. */
const ROOM = 360 * 2 ** 20;

/**
 * What answers and decisions leave behind. On a machine with much memory nobody collects it unasked before it is half a gigabyte, many times what
 * a plan holds; so it is collected when the process has grown by half of the room that is left, or, where there is none, by a 16th.
 */
export class Litter {
  #least = process.memoryUsage.rss();

  /** To be called now and then, between two pieces of work. */
  tidy(): void {
    const now = process.memoryUsage.rss();
    this.#least = Math.min(this.#least, now);
    if (now - this.#least < Math.max((ROOM - this.#least) / 2, this.#least / 16)) return;
    Bun.gc(true);
    this.#least = process.memoryUsage.rss();
  }
}
