import type { Share } from './chance.ts';
import { type Comparison, compareShares, share } from './compare.ts';
import { percent } from './numbers.ts';
import type { Evidence, Metric, Outcome, Reason } from './verdict.ts';

/** How far apart the shares of refused requests may be: a canary that refuses what stable takes has another contract. */
const REFUSED_MARGIN = 0.05;
/** A limit below 1 in a thousand is judged by what so many requests can show. */
const MOST_WANTED = 3000;
/** One percent of these is 3: fewer have no p99 to speak of. */
const LEAST_WANTED = 300;

const OUTCOME: Readonly<Record<Comparison, Outcome>> = { within: 'pass', doubtful: 'inconclusive', above: 'fail' };

/**
 * Requests that a canary must have answered before its silence means anything. By the rule of three, none of n requests failing
 * shows with 95 % that less than 3/n of all do: so 3 / errorRate, between 300 and 3000.
 *
 * @example errorRate 0.01 → 300, 0.005 → 600, 0.05 → 300, 0.0001 → 3000
 */
export function minimumRequests({ errorRate }: { readonly errorRate: number }): number {
  return Math.min(MOST_WANTED, Math.max(LEAST_WANTED, Math.ceil(3 / errorRate)));
}

export function judgeRequests({ stable, canary, limits }: Evidence): Reason {
  const limit = minimumRequests(limits);
  const base = { metric: 'requests', stable: stable.requests, canary: canary.requests, limit } as const;
  const sample = { stable: stable.requests, canary: canary.requests };
  if (canary.requests >= limit) {
    const note = stable.requests === 0 ? { note: 'stable had none, so the canary is held to the limits alone' } : {};
    return { ...base, sample, outcome: 'pass', ...note };
  }
  const note = canary.requests === 0 ? 'no request reached the canary' : `${limit} are needed to tell`;
  return { ...base, sample, outcome: 'inconclusive', note };
}

/** 5xx and gRPC's like, as a share of requests. */
export function judgeErrors(evidence: Evidence): Reason {
  const { stable, canary, limits, alpha } = evidence;
  const shares = { stable: { k: stable.failed, n: stable.requests }, canary: { k: canary.failed, n: canary.requests } };
  const found = compareShares(shares.canary, shares.stable, limits.errorRate, alpha);
  return reason(
    'errorRate',
    shares,
    share(shares.stable) + limits.errorRate,
    OUTCOME[found],
    {
      doubtful: `${canary.failed} failed, more than the limit, but of so few requests it can be chance`,
      above: '',
      within: '',
    }[found],
  );
}

/**
 * NaN and infinity, as a share of requests. What stable does too is not the canary's fault; where stable has none, even one that
 * proves nothing is worth a look.
 */
export function judgeNonFinite({ stable, canary, alpha }: Evidence): Reason {
  const shares = {
    stable: { k: stable.nonFinite, n: stable.requests },
    canary: { k: canary.nonFinite, n: Math.max(canary.requests, canary.nonFinite) },
  };
  let found = compareShares(shares.canary, shares.stable, 0, alpha);
  if (found === 'within' && canary.nonFinite > 0 && stable.nonFinite === 0) found = 'doubtful';
  return reason(
    'nonFinite',
    shares,
    share(shares.stable),
    OUTCOME[found],
    {
      doubtful: `${canary.nonFinite} of the canary's answers were NaN or infinity, too few to prove it worse`,
      above: `${canary.nonFinite} of the canary's answers were NaN or infinity`,
      within: '',
    }[found],
  );
}

/** 4xx, as a share of requests. Clients make them, so they never fail a canary; shares far apart say that the contract moved. */
export function judgeRefused({ stable, canary, alpha }: Evidence): Reason {
  const total = (refused: Readonly<Record<string, number>>) =>
    Object.values(refused).reduce((sum, one) => sum + one, 0);
  const shares = {
    stable: { k: total(stable.refused), n: stable.requests },
    canary: { k: total(canary.refused), n: canary.requests },
  };
  const more = stable.requests > 0 && compareShares(shares.canary, shares.stable, REFUSED_MARGIN, alpha) === 'above';
  const less = canary.requests > 0 && compareShares(shares.stable, shares.canary, REFUSED_MARGIN, alpha) === 'above';
  const limit = share(shares.stable) + REFUSED_MARGIN;
  if (stable.requests === 0)
    return reason('refused', shares, null, 'not-judged', 'stable had no requests to compare with');
  if (!more && !less) return reason('refused', shares, limit, 'pass');
  const why = mostRejected(canary, stable);
  const note = more ? 'the canary refuses what stable takes' : 'the canary takes what stable refuses';
  return reason('refused', shares, limit, 'inconclusive', why === undefined ? note : `${note}: mostly ${why}`);
}

/** The reason whose share of requests differs most between the two. */
function mostRejected(canary: Evidence['canary'], stable: Evidence['stable']): string | undefined {
  const part = (window: Evidence['canary'], name: string) =>
    share({ k: new Map(Object.entries(window.rejected)).get(name) ?? 0, n: window.requests });
  const names = [...new Set([...Object.keys(canary.rejected), ...Object.keys(stable.rejected)])];
  const [worst] = names
    .map((name) => ({ name, canary: part(canary, name), stable: part(stable, name) }))
    .sort((one, other) => Math.abs(other.canary - other.stable) - Math.abs(one.canary - one.stable));
  return worst && `${worst.name} (${percent(worst.canary)} / ${percent(worst.stable)})`;
}

function reason(
  metric: Metric,
  { stable, canary }: { readonly stable: Share; readonly canary: Share },
  limit: number | null,
  outcome: Reason['outcome'],
  note = '',
): Reason {
  return {
    metric,
    outcome: canary.n === 0 && outcome === 'pass' ? 'not-judged' : outcome,
    stable: stable.n > 0 ? share(stable) : null,
    canary: canary.n > 0 ? share(canary) : null,
    limit,
    sample: { stable: stable.n, canary: canary.n },
    ...(note === '' ? {} : { note }),
  };
}
