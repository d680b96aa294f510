import type { RoleWindow } from './role-window.ts';

type Latency = RoleWindow['latency'];

/**
 * A histogram as a distribution one can ask: within a bucket requests are taken as even on a logarithmic scale (in the first one, which begins
 * at 0, on a plain one), as Prometheus does for its native histograms. The server's buckets are a factor of 1.26 apart, so
 * a time that is read off is at most that far from the true one.
 */
export class Distribution {
  readonly total: number;
  readonly #latency: Latency;

  constructor(latency: Latency) {
    this.#latency = latency;
    this.total = latency.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Seconds below which a share q of the requests was; beyond the last bound nothing is known, and that bound is told. */
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

  /** How many requests took longer than so many seconds. What lies beyond the last bound is slower than any time. */
  slowerThan(seconds: number): number {
    const { counts, bounds } = this.#latency;
    let slower = counts.at(-1) ?? 0;
    for (const [bucket, high] of bounds.entries()) {
      const [low, count] = [bounds[bucket - 1] ?? 0, counts[bucket] ?? 0];
      if (seconds <= low) slower += count;
      else if (seconds < high)
        slower += count * (low > 0 ? Math.log(high / seconds) / Math.log(high / low) : 1 - seconds / high);
    }
    return slower;
  }
}
