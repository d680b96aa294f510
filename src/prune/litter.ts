/** Bytes. */
const LEFT_LYING = 48 * 2 ** 20;

/**
 * What answers and decisions leave behind. On a machine with much memory nobody collects it unasked before it is half a gigabyte, many times what
 * a plan holds: so it is collected whenever the process has grown by this much.
 */
export class Litter {
  #least = process.memoryUsage.rss();

  /** To be called now and then, between two pieces of work. */
  tidy(): void {
    const now = process.memoryUsage.rss();
    this.#least = Math.min(this.#least, now);
    if (now - this.#least < LEFT_LYING) return;
    Bun.gc(true);
    this.#least = process.memoryUsage.rss();
  }
}
