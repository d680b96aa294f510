import type { Evidence, Limits, Reason } from './verdict.ts';

/** A limit below 1 in a thousand is judged by what so many requests can show. */
const MOST_WANTED = 3000;
/** One percent of these is 3: fewer have no p99 to speak of. */
const LEAST_WANTED = 300;

/**
 * Requests that a canary must have had before its silence means anything. By the rule of three, none of n requests failing shows
 * with 95 % that less than 3/n of all do: so 3 / errorRate, between 300 and 3000.
 *
 * @example errorRate 0.01 → 300, 0.005 → 600, 0.05 → 300, 0.0001 → 3000
 */
export function minimumRequests({ errorRate }: Pick<Limits, 'errorRate'>): number {
  return Math.min(MOST_WANTED, Math.max(LEAST_WANTED, Math.ceil(3 / errorRate)));
}

/** Whether the canary had requests enough. Of stable as many as there are will do: with few of them, little can be proven. */
export function judgeRequests({ stable, canary, limits }: Evidence): Reason {
  const limit = minimumRequests(limits);
  const numbers = { stable: stable.requests, canary: canary.requests };
  const base = { metric: 'requests', ...numbers, limit, sample: numbers } as const;
  if (canary.requests === 0) return { ...base, outcome: 'inconclusive', note: 'no request reached the canary' };
  if (canary.requests < limit) return { ...base, outcome: 'inconclusive', note: 'too few to tell' };
  if (stable.requests > 0) return { ...base, outcome: 'pass' };
  return { ...base, outcome: 'pass', note: 'stable had none, so the canary is held to the limits alone' };
}
