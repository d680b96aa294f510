import {
  effectiveRows,
  minimumEffectiveRows,
  mostMoved,
  rowsOf,
  seen,
  shiftByNoise,
  totalVariation,
} from './label-shift.ts';
import { grouped } from './numbers.ts';
import type { RoleWindow } from './role-window.ts';
import type { Evidence, Reason } from './verdict.ts';

/**
 * Whether the canary predicts other labels than stable, whose rows come from the same traffic. A better model may well do that, so
 * it never fails a canary: it asks a person to look. Rows of one request are alike, so no more rows count than there were requests, and
 * where stable's own pods differ, because clients stay on their connections, the canary may differ by as much again.
 * `other` (labels beyond the hundredth) is one label: a shift within it is not seen.
 */
export function judgeLabels({ stable, canary, limits }: Evidence): Reason {
  const of = { stable: seen(stable.labels), canary: seen(canary.labels) };
  const sample = { stable: rowsOf(of.stable), canary: rowsOf(of.canary) };
  const limit = limits.labelShift;
  const base = { metric: 'labelShift', stable: null, canary: null, limit, sample } as const;
  if (Object.keys(stable.labels).length === 0 && Object.keys(canary.labels).length === 0)
    return { ...base, outcome: 'not-judged', note: 'the model has no labels' };
  if (sample.canary === 0 || sample.stable === 0) return { ...base, outcome: 'not-judged', note: 'no rows to compare' };
  const shift = totalVariation(of.canary, of.stable);
  const labels = new Set([...of.canary.keys(), ...of.stable.keys()]).size;
  const effective = effectiveRows(independent(canary, sample.canary), independent(stable, sample.stable));
  const allowed = Math.max(limit, shiftByNoise(labels, effective));
  const spread = stable.spread?.labelShift ?? 0;
  const judged = { ...base, stable: spread, canary: shift };
  if (shift > allowed + spread)
    return { ...judged, outcome: 'inconclusive', note: `mostly ${mostMoved(of.canary, of.stable)}` };
  if (shift > allowed) return { ...judged, outcome: 'pass', note: "stable's own pods differ too" };
  const wanted = minimumEffectiveRows(labels, limit);
  if (effective >= wanted) return { ...judged, outcome: 'pass' };
  const note = `${grouped(effective)} effective rows, ${Number.isFinite(wanted) ? grouped(wanted) : 'endless'} are needed`;
  return { ...judged, outcome: 'not-judged', note };
}

function independent({ requests }: RoleWindow, rows: number): number {
  return requests > 0 ? Math.min(rows, requests) : rows;
}
