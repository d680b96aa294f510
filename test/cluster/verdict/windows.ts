import type { RoleWindow } from '../../../src/cluster/index.ts';

/** The server's fine buckets, seconds. */
export const BOUNDS = [-4, -3, -2, -1, 0]
  .flatMap((exponent) => [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8].map((one) => Number(`${one}e${exponent}`)))
  .concat(10);

export const LIMITS = { errorRate: 0.01, p99Ratio: 1.5, labelShift: 0.05, memory: 0.95 };

/** A histogram of so many seconds each. */
export function latencyOf(seconds: Iterable<number>): RoleWindow['latency'] {
  const counts = new Array<number>(BOUNDS.length + 1).fill(0);
  for (const one of seconds) {
    let bucket = 0;
    while (bucket < BOUNDS.length && one > (BOUNDS[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  return { bounds: BOUNDS, counts };
}

/** A role in good health: all requests answered in 1.2 ms, a model without labels. */
export function healthy(requests: number, more: Partial<RoleWindow> = {}): RoleWindow {
  const failed = more.failed ?? 0;
  return {
    schemaVersion: 1,
    pods: 1,
    seconds: 120,
    requests,
    failed,
    gone: 0,
    refused: {},
    latency: latencyOf(new Array<number>(Math.max(0, requests - failed)).fill(0.0012)),
    nonFinite: 0,
    labels: {},
    rejected: {},
    memory: [{ pod: 'iris-1', bytes: 100e6 }],
    memoryLimitBytes: 300e6,
    restarts: [],
    unreadable: [],
    ...more,
  };
}

/** Numbers of 0..1 from a seed (mulberry32): the same in every run, on every machine. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number of a normal distribution (Box–Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** So many successes of so many tries. */
export function binomial(random: () => number, n: number, p: number): number {
  let k = 0;
  for (let trial = 0; trial < n; trial++) if (random() < p) k++;
  return k;
}
