import { compareShares } from './compare.ts';
import { Distribution } from './latency.ts';
import { milliseconds, percent } from './numbers.ts';
import type { Evidence, Reason } from './verdict.ts';

/** Differences below this are nobody's concern, and lie in the first buckets: seconds. */
const FLOOR_SECONDS = 0.001;
/** What a p99 leaves above itself. */
const TAIL = 0.01;
/** Fewer slow requests prove nothing: a new pod's first ones, whose code is not compiled yet, are as slow. */
const LEAST_SLOW = 10;
/** Requests of stable without which it has no p99 to be a measure. */
const LEAST_REFERENCE = 30;

/**
 * Whether the canary's p99 is above `p99Ratio` times stable's. Two p99s from buckets are two guesses, so it is asked the other way
 * round: of the canary's requests, did more than 1 % (and what stable itself has) take longer than that time? That is a count, and
 * counts can be tested. The time is at least 1 ms above stable's p99, and rounded up to a bound of the buckets.
 *
 * @example stable p99 2.0 ms, p99Ratio 1.5: 3.0 ms, rounded up to 3.15. A canary with 60 of 2500 beyond it (2.4 %) fails, one with 20 passes
 * @example stable p99 0.2 ms: 1.2 ms and not 0.3, rounded up to 1.25
 */
export function judgeP99({ stable, canary, limits, alpha }: Evidence): Reason {
  const of = { stable: new Distribution(stable.latency), canary: new Distribution(canary.latency) };
  const sample = { stable: of.stable.total, canary: of.canary.total };
  const p99 = {
    stable: of.stable.total > 0 ? of.stable.quantile(1 - TAIL) : null,
    canary: of.canary.total > 0 ? of.canary.quantile(1 - TAIL) : null,
  };
  const base = { metric: 'p99', ...p99, sample } as const;
  if (p99.canary === null) return { ...base, limit: null, outcome: 'not-judged', note: 'the canary answered nothing' };
  if (p99.stable === null || of.stable.total < LEAST_REFERENCE) {
    const note = `stable answered ${of.stable.total} requests, too few to have a p99`;
    return { ...base, limit: null, outcome: 'not-judged', note };
  }
  const limit = of.canary.boundFrom(Math.max(limits.p99Ratio * p99.stable, p99.stable + FLOOR_SECONDS));
  const slower = {
    canary: { k: of.canary.slowerThan(limit), n: of.canary.total },
    stable: { k: of.stable.slowerThan(limit), n: of.stable.total },
  };
  const found = compareShares(slower.canary, slower.stable, { margin: TAIL, alpha, least: LEAST_SLOW });
  if (found === 'within') return { ...base, limit, outcome: 'pass' };
  const beyond = `${percent(slower.canary.k / slower.canary.n)} of the canary's requests took longer than ${milliseconds(limit)} ms`;
  return found === 'above'
    ? { ...base, limit, outcome: 'fail', note: beyond }
    : { ...base, limit, outcome: 'inconclusive', note: `${beyond}, but of so few it can be chance` };
}
