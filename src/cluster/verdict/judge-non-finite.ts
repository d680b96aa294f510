import { compareShares, share } from './compare.ts';
import { LEAST_EVENTS, shareReason } from './share-reason.ts';
import type { Evidence, Reason } from './verdict.ts';

/**
 * NaN and infinity, as a share of requests. What stable answers too (to odd inputs) is not the canary's fault; where stable has
 * none, even one that proves nothing is worth a look.
 *
 * @example stable 0 of 1200, canary 1 of 300: inconclusive; 3 of 300: fails
 */
export function judgeNonFinite({ stable, canary, alpha }: Evidence): Reason {
  const shares = {
    stable: { k: stable.nonFinite, n: Math.max(stable.requests, stable.nonFinite) },
    canary: { k: canary.nonFinite, n: Math.max(canary.requests, canary.nonFinite) },
  };
  const limit = share(shares.stable);
  const found = compareShares(shares.canary, shares.stable, { margin: 0, alpha, least: LEAST_EVENTS });
  const note = `the canary's model answered NaN or infinity ${canary.nonFinite === 1 ? 'once' : `${canary.nonFinite} times`}`;
  if (found === 'above') return shareReason('nonFinite', shares, { limit, outcome: 'fail', note });
  if (found === 'doubtful' || (canary.nonFinite > 0 && stable.nonFinite === 0))
    return shareReason('nonFinite', shares, { limit, outcome: 'inconclusive', note: `${note}, too few to prove it` });
  return shareReason('nonFinite', shares, { limit, outcome: 'pass' });
}
