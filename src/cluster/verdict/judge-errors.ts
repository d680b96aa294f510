import { compareShares, share } from './compare.ts';
import { mostRejected } from './most-rejected.ts';
import { LEAST_EVENTS, shareReason } from './share-reason.ts';
import type { Evidence, Reason } from './verdict.ts';

/** Reasons of inlay_rejected_total that are the server's; NaN has a metric of its own. */
const SERVERS = ['overloaded', 'internal', 'not_ready'];

/**
 * 5xx and gRPC's like, as a share of requests: the canary's may be above stable's by less than `errorRate`.
 *
 * @example limit 0.01, stable 0 of 1000: 1 of 3 passes (and three requests are too few to tell), 3 of 3 fails
 * @example limit 0.005, stable 0 of 20 000: 50 of 5000 (1 %) fails, 8 of 1000 is inconclusive
 */
export function judgeErrors({ stable, canary, limits, alpha }: Evidence): Reason {
  const shares = { stable: { k: stable.failed, n: stable.requests }, canary: { k: canary.failed, n: canary.requests } };
  const limit = share(shares.stable) + limits.errorRate;
  const found = compareShares(shares.canary, shares.stable, { margin: limits.errorRate, alpha, least: LEAST_EVENTS });
  if (found === 'within') return shareReason('errorRate', shares, { limit, outcome: 'pass' });
  if (found === 'above') {
    const why = mostRejected(canary, stable, SERVERS);
    return shareReason('errorRate', shares, { limit, outcome: 'fail', note: why && `mostly ${why}` });
  }
  const note = `${canary.failed} failed: more than the limit, but so few can be chance`;
  return shareReason('errorRate', shares, { limit, outcome: 'inconclusive', note });
}
