import { compareShares, share } from './compare.ts';
import { LEAST_EVENTS, shareReason } from './share-reason.ts';
import type { Evidence, Reason } from './verdict.ts';

/** A healthy canary has just stable's rate and no margin, so it takes ten times the proof that errors take. */
const STRICTER = 0.1;

/**
 * NaN and infinity, as a share of requests. What stable answers too (to odd inputs) is not the canary's fault; where stable has
 * none, even one that proves nothing is worth a look.
 *
 * @example stable 0 of 1200, canary 1 of 300: inconclusive; 5 of 300: fails
 */
export function judgeNonFinite({ stable, canary, alpha }: Evidence): Reason {
  const shares = {
    stable: { k: stable.nonFinite, n: Math.max(stable.requests, stable.nonFinite) },
    canary: { k: canary.nonFinite, n: Math.max(canary.requests, canary.nonFinite) },
  };
  const limit = share(shares.stable);
  const isAbove = (proof: number) =>
    compareShares(shares.canary, shares.stable, { margin: 0, alpha: proof, least: LEAST_EVENTS }) === 'above';
  const note = `the canary's model answered NaN or infinity ${canary.nonFinite === 1 ? 'once' : `${canary.nonFinite} times`}`;
  if (isAbove(STRICTER * alpha)) return shareReason('nonFinite', shares, { limit, outcome: 'fail', note });
  if (isAbove(alpha) || (canary.nonFinite > 0 && stable.nonFinite === 0))
    return shareReason('nonFinite', shares, { limit, outcome: 'inconclusive', note: `${note}, too few to prove it` });
  return shareReason('nonFinite', shares, { limit, outcome: 'pass' });
}
