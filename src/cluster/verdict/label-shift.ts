/** How often noise alone may look like a shift. */
const NOISE = 0.01;

export type Labels = ReadonlyMap<string, number>;

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

/** Two samples in one number: that of the smaller one at most, half of it where both are alike. */
export function effectiveRows(one: number, other: number): number {
  return one > 0 && other > 0 ? 1 / (1 / one + 1 / other) : 0;
}

/** Half the sum of the differences between two distributions, 0 (the same) to 1 (nothing in common). */
export function totalVariation(one: Labels, other: Labels): number {
  return partsOf(one, other).reduce((sum, { canary, stable }) => sum + Math.abs(canary - stable), 0) / 2;
}

/** The label that moved most, with both shares: `setosa (41.2 % / 33.0 %)`. */
export function mostMoved(canary: Labels, stable: Labels): string {
  const [most] = partsOf(canary, stable).sort(
    (one, other) => Math.abs(other.canary - other.stable) - Math.abs(one.canary - one.stable),
  );
  return most ? `${most.label} (${(most.canary * 100).toFixed(1)} % / ${(most.stable * 100).toFixed(1)} %)` : '';
}

/** Labels that were predicted at all. */
export function seen(labels: Readonly<Record<string, number>>): Labels {
  return new Map(Object.entries(labels).filter(([, count]) => count > 0));
}

export function rowsOf(labels: Labels): number {
  return [...labels.values()].reduce((sum, count) => sum + count, 0);
}

/** Each label's share of the rows of both. */
function partsOf(canary: Labels, stable: Labels) {
  const all = { canary: rowsOf(canary), stable: rowsOf(stable) };
  return [...new Set([...canary.keys(), ...stable.keys()])].map((label) => ({
    label,
    canary: all.canary > 0 ? (canary.get(label) ?? 0) / all.canary : 0,
    stable: all.stable > 0 ? (stable.get(label) ?? 0) / all.stable : 0,
  }));
}
