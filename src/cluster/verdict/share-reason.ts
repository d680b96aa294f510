import type { Share } from './chance.ts';
import { share } from './compare.ts';
import type { Metric, Reason } from './verdict.ts';

/** Failures that prove something are at least so many: fewer are bad luck, one client's odd request that was sent again. */
export const LEAST_EVENTS = 3;

/** A reason whose numbers are shares of requests. */
export function shareReason(
  metric: Metric,
  { stable, canary }: { readonly stable: Share; readonly canary: Share },
  judged: { readonly limit: number | null; readonly outcome: Reason['outcome']; readonly note?: string | undefined },
): Reason {
  return {
    metric,
    outcome: canary.n === 0 && judged.outcome === 'pass' ? 'not-judged' : judged.outcome,
    stable: stable.n > 0 ? share(stable) : null,
    canary: canary.n > 0 ? share(canary) : null,
    limit: judged.limit,
    sample: { stable: stable.n, canary: canary.n },
    ...(judged.note === undefined ? {} : { note: judged.note }),
  };
}
