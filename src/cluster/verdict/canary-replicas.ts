import { short } from './numbers.ts';

export interface CanarySize {
  readonly replicas: number;
  /** The share of requests that so many pods get beside stable's, 0 to 1, where each pod gets the same. */
  readonly expectedShare: number;
  /** Where that is far from what was asked, with what would bring it closer. */
  readonly note?: string;
}

/** Farther from what was asked than this is told, 0 to 1. */
const FAR = 0.05;

/**
 * The number of canary pods whose share of all pods is nearest to a weight; stable keeps all of its own. At least 1, at most `max`; of two
 * that are as near, the smaller.
 *
 * | stable | asked | canary | share |
 * |---|---|---|---|
 * | 4 | 20 % | 1 | 20 % |
 * | 4 | 50 % | 4 | 50 % |
 * | 3 | 10 % | 1 | 25 %, told |
 * | 1 | 5 % | 1 | 50 %, told |
 * | 10 | 20 % | 3 | 23 % (2 would be 17 %) |
 * | 4 | 100 % | max | stable is there still |
 *
 * @param weightPercent above 0, up to 100
 * @param max the most replicas that a canary may have
 */
export function canaryReplicas(asked: {
  readonly stableReplicas: number;
  readonly weightPercent: number;
  readonly max: number;
}): CanarySize {
  const { weightPercent, max } = asked;
  const stable = Math.max(0, asked.stableReplicas);
  const wanted = weightPercent / 100;
  const shareOf = (replicas: number) => replicas / (replicas + stable);
  const exact = wanted >= 1 ? max : (stable * wanted) / (1 - wanted);
  const [replicas = 1] = [Math.floor(exact), Math.ceil(exact)]
    .map((count) => Math.max(1, Math.min(max, count)))
    .sort((one, other) => Math.abs(shareOf(one) - wanted) - Math.abs(shareOf(other) - wanted) || one - other);
  const expectedShare = shareOf(replicas);
  if (Math.abs(expectedShare - wanted) <= FAR) return { replicas, expectedShare };
  const got = `${short(weightPercent)} % asked, ${short(expectedShare * 100)} % is what ${replicas} beside ${stable} gets`;
  const more = Math.ceil((1 - wanted) / wanted - 1e-9);
  const why =
    expectedShare > wanted ? `: with ${more} pods of stable 1 is ${short(weightPercent)} %` : `: at most ${max}`;
  return { replicas, expectedShare, note: got + why };
}
