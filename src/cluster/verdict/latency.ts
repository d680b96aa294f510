import type { RoleWindow } from './role-window.ts';

type Latency = RoleWindow['latency'];

/** Other buckets may leave the bulk's place this uncertain (share of its bucket's width); beyond, it is taken as even. */
const MOST_UNCERTAIN = 0.25;

/**
 * A histogram as a distribution one can ask. Buckets are a factor 2 to 2.5 wide, so where in its bucket the bulk lies matters: the
 * histogram's sum tells. The fullest bucket is given the exponential density over its width whose mean fits the sum (of all
 * densities with that mean the one that claims the least); other buckets are even on a logarithmic scale.
 */
export class Distribution {
  readonly total: number;
  readonly #latency: Latency;
  readonly #fullest: number;
  /** Of the fullest bucket's density exp(-tilt · f) for f in 0..1. */
  readonly #tilt: number;

  constructor(latency: Latency) {
    this.#latency = latency;
    this.total = latency.counts.reduce((sum, count) => sum + count, 0);
    this.#fullest = latency.counts.indexOf(Math.max(...latency.counts));
    this.#tilt = tiltOf(this.#meanPlace());
  }

  /** Seconds below which a share q of the requests was; beyond the last bound nothing is known, and that bound is told. */
  quantile(q: number): number {
    let left = q * this.total;
    const { counts, bounds } = this.#latency;
    for (const [bucket, count] of counts.entries()) {
      if (bucket === bounds.length) break;
      if (count > 0 && left <= count) return this.#at(bucket, left / count);
      left -= count;
    }
    return bounds.at(-1) ?? 0;
  }

  /** How many requests took longer than so many seconds. */
  slowerThan(seconds: number): number {
    const { counts, bounds } = this.#latency;
    let slower = 0;
    for (const [bucket, count] of counts.entries()) {
      const [low, high] = [bounds[bucket - 1] ?? 0, bounds[bucket] ?? Number.POSITIVE_INFINITY];
      if (seconds <= low) slower += count;
      else if (seconds < high && high !== Number.POSITIVE_INFINITY)
        slower += count * (1 - this.#below(bucket, seconds));
      // What is in the last, open bucket was slower than any bound there is.
      else if (high === Number.POSITIVE_INFINITY) slower += count;
    }
    return slower;
  }

  /** Where in the fullest bucket its mean lies, 0..1, from the sum; undefined where the sum cannot tell. */
  #meanPlace(): number | undefined {
    const { bounds, counts, sum } = this.#latency;
    if (this.#fullest >= bounds.length || (counts.at(-1) ?? 0) > 0) return undefined;
    let rest = sum;
    let slack = 0;
    for (const [bucket, high] of bounds.entries()) {
      const low = bounds[bucket - 1] ?? 0;
      const count = counts[bucket] ?? 0;
      rest -= count * low;
      if (bucket !== this.#fullest) slack += (count * (high - low)) / 2;
    }
    const [low, high] = [bounds[this.#fullest - 1] ?? 0, bounds[this.#fullest] ?? 0];
    const room = (counts[this.#fullest] ?? 0) * (high - low);
    return room <= 0 || slack > MOST_UNCERTAIN * room ? undefined : (rest - slack) / room;
  }

  /** The seconds below which a share of a bucket's requests lies. */
  #at(bucket: number, part: number): number {
    const [low, high] = this.#edges(bucket);
    if (bucket === this.#fullest) return low + (high - low) * tiltedQuantile(this.#tilt, part);
    return low > 0 ? low * (high / low) ** part : high * part;
  }

  #below(bucket: number, seconds: number): number {
    const [low, high] = this.#edges(bucket);
    if (bucket === this.#fullest) return tiltedBelow(this.#tilt, (seconds - low) / (high - low));
    return low > 0 ? Math.log(seconds / low) / Math.log(high / low) : seconds / high;
  }

  #edges(bucket: number): readonly [number, number] {
    const { bounds } = this.#latency;
    return [bounds[bucket - 1] ?? 0, bounds[bucket] ?? Number.POSITIVE_INFINITY];
  }
}

/** Steepest density that is used: the bulk in a hundredth of its bucket. */
const STEEPEST = 100;

/** The tilt whose density has its mean at a place of 0..1; 0 (even) where the place is unknown. */
function tiltOf(place: number | undefined): number {
  if (place === undefined || !Number.isFinite(place)) return 0;
  let [low, high] = [-STEEPEST, STEEPEST];
  for (let step = 0; step < 60; step++) {
    const tilt = (low + high) / 2;
    if (tiltedMean(tilt) > place) low = tilt;
    else high = tilt;
  }
  return (low + high) / 2;
}

function tiltedMean(tilt: number): number {
  return Math.abs(tilt) < 1e-6 ? 0.5 - tilt / 12 : 1 / tilt - 1 / Math.expm1(tilt);
}

function tiltedBelow(tilt: number, place: number): number {
  return Math.abs(tilt) < 1e-6 ? place : Math.expm1(-tilt * place) / Math.expm1(-tilt);
}

function tiltedQuantile(tilt: number, part: number): number {
  return Math.abs(tilt) < 1e-6 ? part : -Math.log1p(part * Math.expm1(-tilt)) / tilt;
}
