import { grouped } from './numbers.ts';
import type { RoleWindow } from './role-window.ts';
import type { Evidence, Reason } from './verdict.ts';

/** How often noise alone may look like a shift. */
const NOISE = 0.01;

/**
 * What two samples of the *same* distribution stay below in total variation, all but once in a hundred windows, whatever the distribution is.
 *
 * With e = 1 / (1/n + 1/m) effective rows and K labels, total variation is at most ½ √((K − 1) / e) in the mean (Cauchy–Schwarz),
 * and t above that with a probability of at most exp(−2 e t²) (McDiarmid: a row moves it by 1/n). So (½ √(K − 1) + √(ln 100 / 2)) / √e.
 */
export function shiftByNoise(labels: number, effectiveRows: number): number {
  return noiseOf(labels) / Math.sqrt(effectiveRows);
}

/**
 * The effective rows with which noise stays below a limit: fewer, and only a shift beyond noise itself is told.
 *
 * @example 2 labels, limit 0.05: 1629 · 3 labels: 1980 · 10 labels: 3642 · 101 labels: 16 991 · 3 labels, limit 0.1: 495
 */
export function minimumEffectiveRows(labels: number, limit: number): number {
  return Math.ceil(noiseOf(labels) ** 2 / limit ** 2);
}

function noiseOf(labels: number): number {
  return Math.sqrt(Math.max(0, labels - 1)) / 2 + Math.sqrt(Math.log(1 / NOISE) / 2);
}

/** Half the sum of the differences between two distributions, 0 (the same) to 1 (nothing in common). */
export function totalVariation(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const parts = partsOf(one, other);
  return parts.reduce((sum, { canary, stable }) => sum + Math.abs(canary - stable), 0) / 2;
}

/**
 * Whether the canary predicts other labels than stable, whose rows come from the same traffic. A better model may well do that, so
 * it never fails a canary: it asks a person to look. Rows of one request are alike, so no more rows count than there were requests.
 * `other` (labels beyond the hundredth) is one label: a shift within it is not seen.
 */
export function judgeLabels({ stable, canary, limits }: Evidence): Reason {
  const of = { stable: seen(stable), canary: seen(canary) };
  const sample = { stable: rows(of.stable), canary: rows(of.canary) };
  const base = { metric: 'labelShift', stable: null, canary: null, limit: limits.labelShift, sample } as const;
  if (Object.keys(stable.labels).length === 0 && Object.keys(canary.labels).length === 0)
    return { ...base, outcome: 'not-judged', note: 'the model has no labels' };
  if (sample.canary === 0 || sample.stable === 0) return { ...base, outcome: 'not-judged', note: 'no rows to compare' };
  const shift = totalVariation(of.canary, of.stable);
  const labels = new Set([...of.canary.keys(), ...of.stable.keys()]).size;
  const effective = 1 / (1 / effectiveOf(canary, sample.canary) + 1 / effectiveOf(stable, sample.stable));
  if (shift > Math.max(limits.labelShift, shiftByNoise(labels, effective)))
    return { ...base, canary: shift, outcome: 'inconclusive', note: `mostly ${mostMoved(of.canary, of.stable)}` };
  const wanted = minimumEffectiveRows(labels, limits.labelShift);
  if (effective >= wanted) return { ...base, canary: shift, outcome: 'pass' };
  const note = `${grouped(effective)} effective rows, ${Number.isFinite(wanted) ? grouped(wanted) : 'endless'} are needed`;
  return { ...base, canary: shift, outcome: 'not-judged', note };
}

/** Labels that were predicted at all. */
function seen(window: RoleWindow): ReadonlyMap<string, number> {
  return new Map(Object.entries(window.labels).filter(([, count]) => count > 0));
}

function effectiveOf({ requests }: RoleWindow, all: number): number {
  return requests > 0 ? Math.min(all, requests) : all;
}

function rows(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Each label's share of the rows of both. */
function partsOf(canary: ReadonlyMap<string, number>, stable: ReadonlyMap<string, number>) {
  const all = { canary: rows(canary), stable: rows(stable) };
  return [...new Set([...canary.keys(), ...stable.keys()])].map((label) => ({
    label,
    canary: all.canary > 0 ? (canary.get(label) ?? 0) / all.canary : 0,
    stable: all.stable > 0 ? (stable.get(label) ?? 0) / all.stable : 0,
  }));
}

/** The label that moved most, with both shares. */
function mostMoved(canary: ReadonlyMap<string, number>, stable: ReadonlyMap<string, number>): string {
  const [most] = partsOf(canary, stable).sort(
    (one, other) => Math.abs(other.canary - other.stable) - Math.abs(one.canary - one.stable),
  );
  return most ? `${most.label} (${(most.canary * 100).toFixed(1)} % / ${(most.stable * 100).toFixed(1)} %)` : '';
}
