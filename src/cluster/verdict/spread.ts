import { chanceOf } from './chance.ts';
import { ALPHA } from './compare.ts';
import type { Counts } from './counts.ts';
import { effectiveRows, rowsOf, seen, shiftByNoise, totalVariation } from './label-shift.ts';

/** How far a role's own pods are from each other, beyond what noise explains, 0 to 1. */
export interface Spread {
  /** Total variation of a pod's labels to those of all others, at most. */
  readonly labelShift: number;
  /** Difference of a pod's share of refused requests to that of all others, at most. */
  readonly refused: number;
}

/**
 * Clients stay on their connections, so pods of one version may get different requests: one client that sends the same row all day, one
 * that sends nonsense. A canary that is no farther from stable than stable's pods are from each other is not shifted.
 */
export function spreadOf(pods: readonly Counts[]): Spread {
  const spread = { labelShift: 0, refused: 0 };
  if (pods.length < 2) return spread;
  for (const pod of pods) {
    const others = pods.filter((one) => one !== pod);
    spread.labelShift = Math.max(spread.labelShift, labelsApart(pod, others));
    spread.refused = Math.max(spread.refused, refusedApart(pod, others));
  }
  return spread;
}

function labelsApart(pod: Counts, others: readonly Counts[]): number {
  const own = seen(pod.labels);
  const rest = new Map<string, number>();
  for (const one of others)
    for (const [label, count] of seen(one.labels)) rest.set(label, count + (rest.get(label) ?? 0));
  const requests = others.reduce((total, one) => total + one.requests, 0);
  const effective = effectiveRows(Math.min(rowsOf(own), pod.requests), Math.min(rowsOf(rest), requests));
  if (effective === 0) return 0;
  const labels = new Set([...own.keys(), ...rest.keys()]).size;
  const shift = totalVariation(own, rest);
  return shift > shiftByNoise(labels, effective) ? shift : 0;
}

function refusedApart(pod: Counts, others: readonly Counts[]): number {
  const refused = ({ refused: routes }: Counts) => Object.values(routes).reduce((total, one) => total + one, 0);
  const own = { k: refused(pod), n: pod.requests };
  const rest = {
    k: others.reduce((total, one) => total + refused(one), 0),
    n: others.reduce((total, one) => total + one.requests, 0),
  };
  if (own.n === 0 || rest.n === 0) return 0;
  const apart = Math.abs(own.k / own.n - rest.k / rest.n);
  const [more, less] = own.k / own.n > rest.k / rest.n ? [own, rest] : [rest, own];
  return chanceOf(more, less, 0) < ALPHA ? apart : 0;
}
