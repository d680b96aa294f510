import type { RoleWindow } from './role-window.ts';

type Latency = RoleWindow['latency'];

/**
 * A histogram as a distribution one can ask. The server's buckets are a factor of 1.26 apart, so a quantile that is read off is at most
 * that far from the true one.
 */
export class Distribution {
  readonly total: number;
  readonly #latency: Latency;

  constructor(latency: Latency) {
    this.#latency = latency;
    this.total = latency.counts.reduce((sum, count) => sum + count, 0);
  }

  /**
   * Seconds below which a share q of the requests was. Within a bucket they are taken as even on a logarithmic scale (in the first one,
   * which begins at 0, on a plain one), as Prometheus does for its native histograms. Beyond the last bound that is told.
   */
  quantile(q: number): number {
    const { counts, bounds } = this.#latency;
    let left = q * this.total;
    for (const [bucket, high] of bounds.entries()) {
      const [low, count] = [bounds[bucket - 1] ?? 0, counts[bucket] ?? 0];
      const part = left / count;
      if (count > 0 && part <= 1) return low > 0 ? low * (high / low) ** part : high * part;
      left -= count;
    }
    return bounds.at(-1) ?? 0;
  }

  /** The first bound of a bucket that is no less than so many seconds: from there on requests can be counted. At most the last. */
  boundFrom(seconds: number): number {
    const { bounds } = this.#latency;
    return bounds.find((bound) => bound >= seconds) ?? bounds.at(-1) ?? seconds;
  }

  /** How many requests took longer than so many seconds for certain: those of buckets that begin there or beyond. */
  slowerThan(seconds: number): number {
    const { counts, bounds } = this.#latency;
    return counts.reduce((sum, count, bucket) => ((bounds[bucket - 1] ?? 0) >= seconds ? sum + count : sum), 0);
  }
}
