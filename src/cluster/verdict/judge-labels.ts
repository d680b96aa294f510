import { grouped } from './numbers.ts';
import type { Evidence, Reason } from './verdict.ts';

/** How often noise alone may look like a shift beyond the limit, at the least sample that is judged. */
const NOISE = 0.01;

/**
 * The effective rows that two samples need before their total variation means anything. The effective number of two samples is
 * 1 / (1/n + 1/m): that of the smaller one at most. With it written e and K labels, two samples of the *same* distribution
 * have a total variation of at most ½ √((K − 1) / e) in the mean (Cauchy–Schwarz), and one that is t higher with a
 * probability of at most exp(−2 e t²) (McDiarmid: a row moves it by 1/n). Both hold for any distribution. Where noise is to reach
 * the limit once in a hundred windows at most, e must be (½ √(K − 1) + √(ln 100 / 2))² / limit².
 *
 * @example 2 labels, limit 0.05: 1629 · 3 labels: 1980 · 10 labels: 3642 · 101 labels: 16 991 · 3 labels, limit 0.1: 495
 */
export function minimumEffectiveRows(labels: number, limit: number): number {
  return Math.ceil((Math.sqrt(Math.max(0, labels - 1)) / 2 + Math.sqrt(Math.log(1 / NOISE) / 2)) ** 2 / limit ** 2);
}

/** Half the sum of the differences between two distributions, 0 (the same) to 1 (nothing in common). */
export function totalVariation(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  const [ones, others] = [rows(one), rows(other)];
  if (ones === 0 || others === 0) return 0;
  let difference = 0;
  for (const label of new Set([...one.keys(), ...other.keys()]))
    difference += Math.abs((one.get(label) ?? 0) / ones - (other.get(label) ?? 0) / others);
  return difference / 2;
}

/**
 * Whether the canary predicts other labels than stable: its rows come from the same traffic. A better model may well predict others,
 * so a shift never fails a canary; it asks a person to look. `other` (labels beyond the hundredth) is one label: a shift within it is not seen.
 */
export function judgeLabels({ stable, canary, limits }: Evidence): Reason {
  const of = { stable: new Map(Object.entries(stable.labels)), canary: new Map(Object.entries(canary.labels)) };
  const sample = { stable: rows(of.stable), canary: rows(of.canary) };
  const base = { metric: 'labelShift', stable: null, limit: limits.labelShift, sample } as const;
  if (of.stable.size === 0 && of.canary.size === 0)
    return { ...base, canary: null, outcome: 'not-judged', note: 'the model has no labels' };
  if (sample.canary === 0 || sample.stable === 0)
    return { ...base, canary: null, outcome: 'not-judged', note: 'no rows to compare' };
  const labels = new Set([...of.stable.keys(), ...of.canary.keys()]).size;
  const shift = totalVariation(of.canary, of.stable);
  const effective = 1 / (1 / sample.canary + 1 / sample.stable);
  const wanted = minimumEffectiveRows(labels, limits.labelShift);
  if (effective < wanted) {
    const note = `too few rows: ${grouped(effective)} effective of ${Number.isFinite(wanted) ? grouped(wanted) : 'endless'}`;
    return { ...base, canary: shift, outcome: 'not-judged', note };
  }
  if (shift <= limits.labelShift) return { ...base, canary: shift, outcome: 'pass' };
  return { ...base, canary: shift, outcome: 'inconclusive', note: `mostly ${moved(of.canary, of.stable)}` };
}

/** The label that moved most, with both shares. */
function moved(canary: ReadonlyMap<string, number>, stable: ReadonlyMap<string, number>): string {
  const part = (of: ReadonlyMap<string, number>, label: string) => (of.get(label) ?? 0) / rows(of);
  const [most] = [...new Set([...canary.keys(), ...stable.keys()])]
    .map((label) => ({ label, canary: part(canary, label), stable: part(stable, label) }))
    .sort((one, other) => Math.abs(other.canary - other.stable) - Math.abs(one.canary - one.stable));
  return most ? `${most.label} (${(most.canary * 100).toFixed(1)} % / ${(most.stable * 100).toFixed(1)} %)` : '';
}

function rows(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
