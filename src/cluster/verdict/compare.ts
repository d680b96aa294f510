import { chanceOf, type Share } from './chance.ts';

/** Error probability of a failure at the end of a window. */
export const ALPHA = 0.01;
/** The same for each look before its end: a hundred looks together stay below ALPHA (Bonferroni). */
export const ALPHA_EARLY = 0.0001;
/** A canary that is above its limit in the sample alone is in doubt if chance does as much in fewer windows than this. */
const DOUBT = 0.1;
export interface Rule {
  /** How much higher the canary's share may be, 0 to 1. */
  readonly margin: number;
  /** How often a canary that is just within may be called above. */
  readonly alpha: number;
  /** Fewer prove nothing, whatever their share. */
  readonly least: number;
}

export type Comparison = 'within' | 'doubtful' | 'above';

/**
 * Whether a canary's share is more than `margin` above stable's: `above` where that is proven, `doubtful` where the sample says so
 * but could be chance, and chance alone (without any difference) would seldom do it; else `within`.
 */
export function compareShares(canary: Share, stable: Share, { margin, alpha, least }: Rule): Comparison {
  if (canary.n <= 0 || canary.k <= 0) return 'within';
  const excess = share(canary) - (stable.n > 0 ? share(stable) : 0);
  if (excess <= 0 || excess < margin) return 'within';
  if (canary.k >= least && chanceOf(canary, stable, margin) < alpha) return 'above';
  return chanceOf(canary, stable, 0) < DOUBT ? 'doubtful' : 'within';
}

export function share({ k, n }: Share): number {
  return n > 0 ? k / n : 0;
}
