/** Upper bounds, seconds, from 100 us on: what answers in less is not told apart. */
export const SECONDS = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/**
 * Renard's R10 numbers from 100 us to 10 s, a factor of 1.26 apart: the bounds above and nine between. Requests are counted in them;
 * the page shows them for all answers together, which is what a canary's p99 is told from, and the few above by route and code.
 */
export const FINE_SECONDS = [-4, -3, -2, -1, 0]
  .flatMap((exponent) =>
    ['1', '1.25', '1.6', '2', '2.5', '3.15', '4', '5', '6.3', '8'].map((one) => `${one}e${exponent}`),
  )
  .concat('10')
  .map(Number);
/** A histogram's numbers: how many fell into each bucket (not summed up), and their sum. */
export interface HistogramValues {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts numbers by the buckets they fall into. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    let end = this.#bounds.length;
    while (bucket < end) {
      const middle = (bucket + end) >> 1;
      if (value > (this.#bounds[middle] as number)) bucket = middle + 1;
      else end = middle;
    }
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  /** How many numbers it has. */
  get count(): number {
    return this.#counts.reduce((sum, one) => sum + one, 0);
  }

  values(): HistogramValues {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}
