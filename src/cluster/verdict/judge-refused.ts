import { compareShares, share } from './compare.ts';
import { mostRejected } from './most-rejected.ts';
import type { RoleWindow } from './role-window.ts';
import { LEAST_EVENTS, shareReason } from './share-reason.ts';
import type { Evidence, Reason } from './verdict.ts';

/** How far apart the shares of refused requests may be: a canary that refuses what stable takes has another contract. */
const MARGIN = 0.05;

/**
 * 4xx, as a share of requests. Clients make them, so they never fail a canary; shares far apart say that the contract moved. Where
 * stable's own pods are apart, since a client that sends nonsense stays on one, the canary may be as far again.
 */
export function judgeRefused({ stable, canary, alpha }: Evidence): Reason {
  const shares = {
    stable: { k: refused(stable), n: stable.requests },
    canary: { k: refused(canary), n: canary.requests },
  };
  if (stable.requests === 0)
    return shareReason('refused', shares, { limit: null, outcome: 'not-judged', note: 'stable had no requests' });
  const margin = MARGIN + (stable.spread?.refused ?? 0);
  const rule = { margin, alpha, least: LEAST_EVENTS };
  const more = compareShares(shares.canary, shares.stable, rule) === 'above';
  const less = canary.requests > 0 && compareShares(shares.stable, shares.canary, rule) === 'above';
  const limit = share(shares.stable) + margin;
  if (!more && !less) return shareReason('refused', shares, { limit, outcome: 'pass' });
  const what = more ? 'the canary refuses what stable takes' : 'the canary takes what stable refuses';
  const why = mostRejected(canary, stable);
  return shareReason('refused', shares, {
    limit,
    outcome: 'inconclusive',
    note: why === undefined ? what : `${what}: mostly ${why}`,
  });
}

function refused(window: RoleWindow): number {
  return Object.values(window.refused).reduce((sum, one) => sum + one, 0);
}
