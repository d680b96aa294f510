import type { Samples } from './exposition.ts';

/**
 * What a verdict needs of a page, small enough to keep those of a whole window: its counters by name and labels, and a gauge.
 */
export interface Page {
  readonly counters: Counters;
  /** Memory that the pod holds, bytes; undefined where the page does not tell. */
  readonly heldBytes: number | undefined;
}

/** Values that only rise, by `seriesKey`: of a page, or what was counted between two. */
export type Counters = ReadonlyMap<string, number>;

/** The family without which a page is not inlay's; it is there before any request. */
const LEADING = 'inlay_answer_duration_seconds';
const COUNTED = new Set([
  'inlay_request_duration_seconds_bucket',
  `${LEADING}_bucket`,
  'inlay_predictions_total',
  'inlay_nonfinite_outputs_total',
  'inlay_rejected_total',
]);
/** Of the two gauges the one without mapped files, where there is one. */
const MEMORY = ['inlay_memory_held_bytes', 'process_resident_memory_bytes'];

/**
 * A page of inlay's server; undefined where it is another's. Counters that are not finite or below zero, which none is, are left out, and so is
 * all that no verdict asks for (of requests by route and code: all but how many there were).
 */
export function pageOf({ types, samples }: Samples): Page | undefined {
  if (!types.has(LEADING)) return undefined;
  const counters = new Map<string, number>();
  const memory = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    if (!(value >= 0) || value === Number.POSITIVE_INFINITY) continue;
    if (MEMORY.includes(name)) memory.set(name, value);
    if (!COUNTED.has(name)) continue;
    if (name === 'inlay_request_duration_seconds_bucket' && labels.get('le') !== '+Inf') continue;
    counters.set(seriesKey(name, labels), value);
  }
  return { counters, heldBytes: MEMORY.map((name) => memory.get(name)).find((bytes) => bytes !== undefined) };
}

/**
 * What was counted between two pages of a pod. A counter that went down or is gone says that the server started anew, from
 * zero: then all that it has now was counted since. What it counted between `earlier` and its end is lost.
 */
export function increase(earlier: Counters, later: Counters): Counters {
  for (const [key, value] of earlier) if ((later.get(key) ?? -1) < value) return later;
  return new Map([...later].map(([key, value]) => [key, value - (earlier.get(key) ?? 0)]));
}

/** Several pods', or several intervals', added up. */
export function sum(all: Iterable<Counters>): Counters {
  const total = new Map<string, number>();
  for (const counters of all) for (const [key, value] of counters) total.set(key, value + (total.get(key) ?? 0));
  return total;
}

/** The name of a series and its labels; `seriesOf` reads it back. */
function seriesKey(name: string, labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([name, [...labels].sort(([one], [other]) => (one < other ? -1 : 1))]);
}

export function seriesOf(key: string): { readonly name: string; readonly labels: ReadonlyMap<string, string> } {
  const [name, labels] = JSON.parse(key) as [string, [string, string][]];
  return { name, labels: new Map(labels) };
}
