import { median } from './median.ts';
import type { ResidentSample } from './resident-samples.ts';

export interface Flatness {
  /** The median of each tenth of the time, MB. */
  readonly tenths: readonly number[];
  /** From the second tenth, when everything is warm, to the last. */
  readonly growthPercent: number;
}

/** How flat memory stayed over a load. */
export function flatness(samples: readonly ResidentSample[]): Flatness {
  const whole = samples.at(-1)?.seconds ?? 0;
  const tenths = Array.from({ length: 10 }, (_, tenth) =>
    median(
      samples
        .filter(({ seconds }) => Math.min(9, Math.floor((seconds / whole) * 10)) === tenth)
        .map((sample) => sample.residentMb),
    ),
  );
  return { tenths, growthPercent: ((tenths[9] as number) / (tenths[1] as number) - 1) * 100 };
}
