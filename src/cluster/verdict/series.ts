import type { Samples } from './exposition.ts';

/** The families that a verdict is made of; all count up, whatever else is on the page is left out. */
const COUNTED = [
  'inlay_request_duration_seconds_bucket',
  'inlay_answer_duration_seconds_bucket',
  'inlay_predictions_total',
  'inlay_nonfinite_outputs_total',
  'inlay_rejected_total',
] as const;

export type CountedName = (typeof COUNTED)[number];

/** Counters of one page, or what several counted up between two: by their name, then by labels. */
export type Series = ReadonlyMap<string, CountedSeries>;

export interface CountedSeries {
  readonly name: CountedName;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The counters of a page; those that are not finite or below zero, which no counter is, are left out. */
export function seriesOf({ samples }: Samples): Series {
  const series = new Map<string, CountedSeries>();
  for (const { name, labels, value } of samples) {
    if (!isCounted(name) || !(value >= 0) || value === Number.POSITIVE_INFINITY) continue;
    series.set(keyOf(name, labels), { name, labels, value });
  }
  return series;
}

/**
 * What was counted between two pages of a pod. A counter that went down or is gone says that the server started anew, from
 * zero: then all that it has now was counted since. What it counted between `earlier` and its end is lost.
 */
export function increase(earlier: Series, later: Series): Series {
  const again = [...earlier].some(([key, { value }]) => (later.get(key)?.value ?? -1) < value);
  if (again) return later;
  return new Map(
    [...later].map(([key, one]) => [key, { ...one, value: one.value - (earlier.get(key)?.value ?? 0) }] as const),
  );
}

/** Several pods', or several intervals', added up. */
export function sum(all: readonly Series[]): Series {
  const total = new Map<string, CountedSeries>();
  for (const series of all) {
    for (const [key, one] of series) total.set(key, { ...one, value: one.value + (total.get(key)?.value ?? 0) });
  }
  return total;
}

function isCounted(name: string): name is CountedName {
  return (COUNTED as readonly string[]).includes(name);
}

function keyOf(name: string, labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([name, ...[...labels].sort(([one], [other]) => (one < other ? -1 : 1))]);
}
