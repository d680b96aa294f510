import { isInference, kindOf } from '../../contract/index.ts';
import { isInlayError } from '../../error/index.ts';
import { parseExposition, type Samples } from './exposition.ts';
import type { Restart, RoleWindow } from './role-window.ts';
import { increase, type Series, seriesOf, sum } from './series.ts';

/** A pod's page at a time, or why there is none. */
export type Scrape = {
  readonly pod: string;
  /** Milliseconds since 1970. */
  readonly at: number;
} & ({ readonly samples: Samples } | { readonly unreadable: string });

/** Reads a pod's page: what is not in the format is a scrape without samples, never a throw. */
export function scrapeOf(pod: string, at: number, text: string): Scrape {
  try {
    const samples = parseExposition(text);
    if (!samples.types.has('inlay_answer_duration_seconds'))
      return { pod, at, unreadable: 'its page has no inlay_answer_duration_seconds' };
    return { pod, at, samples };
  } catch (error) {
    if (!isInlayError(error)) throw error;
    return { pod, at, unreadable: error.message };
  }
}

/** What the pages do not say. */
export interface WindowFacts {
  /** Scrapes between start and end: what pods counted that are gone at the end, the most memory, restarts. */
  readonly between?: readonly (readonly Scrape[])[];
  /** Container restarts in the window, from the pods' status. */
  readonly restarts?: readonly Restart[];
  /** `limits.memory` of the container. */
  readonly memoryLimitBytes?: number;
}

/**
 * What the pods of a role did between two rounds of scrapes.
 *
 * - A pod of both rounds counts what its counters rose by; a counter that fell says that the server began anew.
 * - A pod that is not in the first round began in the window: it counts from zero.
 * - A pod that is not in the last one counts up to where it was last seen.
 * - A pod that could not be read at the start counts from where it could, and is told of in `unreadable`.
 *
 * @example a pod with 100 requests at the start, 160 in between and 20 at the end was started anew: 60 + 20 = 80 requests
 */
export function windowOf(before: readonly Scrape[], after: readonly Scrape[], facts: WindowFacts = {}): RoleWindow {
  const rounds = [before, ...(facts.between ?? []), after];
  const pods = [...new Set(rounds.flat().map(({ pod }) => pod))].sort();
  const known = new Set(before.map(({ pod }) => pod));
  const counted: Series[] = [];
  const unreadable: { pod: string; why: string }[] = [];
  const memory: { pod: string; bytes: number }[] = [];
  for (const pod of pods) {
    const all = rounds.flatMap((round) => round.filter((scrape) => scrape.pod === pod));
    const pages = all.flatMap((scrape) => ('samples' in scrape ? [seriesOf(scrape.samples)] : []));
    const why = missing(all, known.has(pod));
    if (why !== undefined) unreadable.push({ pod, why });
    let earlier: Series | undefined = known.has(pod) ? undefined : new Map();
    for (const page of pages) {
      if (earlier) counted.push(increase(earlier, page));
      earlier = page;
    }
    const bytes = Math.max(...all.map(heldBytes));
    if (bytes > 0) memory.push({ pod, bytes });
  }
  const times = rounds.flat().map(({ at }) => at);
  return {
    schemaVersion: 1,
    pods: pods.length,
    seconds: times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000,
    ...readCounts(sum(counted)),
    memory,
    memoryLimitBytes: facts.memoryLimitBytes ?? null,
    restarts: [...(facts.restarts ?? [])],
    unreadable,
  };
}

/** Why a pod's numbers are not those of the whole window, or undefined: a page that fails in between is made up for later. */
function missing(all: readonly Scrape[], known: boolean): string | undefined {
  const [first, last] = [all[0], all.at(-1)];
  if (known && first && 'unreadable' in first) return first.unreadable;
  return last && 'unreadable' in last ? last.unreadable : undefined;
}

/** Of the two gauges the one without mapped files, which a server from before it had not. */
const MEMORY = ['inlay_memory_held_bytes', 'process_resident_memory_bytes'];

function heldBytes(scrape: Scrape): number {
  if (!('samples' in scrape)) return 0;
  const [bytes = 0] = MEMORY.flatMap(
    (name) => scrape.samples.samples.find((sample) => sample.name === name)?.value ?? [],
  );
  return Number.isFinite(bytes) ? bytes : 0;
}

function readCounts(
  series: Series,
): Pick<RoleWindow, 'requests' | 'failed' | 'gone' | 'refused' | 'latency' | 'nonFinite' | 'labels' | 'rejected'> {
  const kinds = { answered: 0, refused: 0, gone: 0, failed: 0 };
  const refused = new Map<string, number>();
  const labels = new Map<string, number>();
  const rejected = new Map<string, number>();
  const times = new Map<number, number>();
  let nonFinite = 0;
  for (const { name, labels: own, value } of series.values()) {
    if (name === 'inlay_predictions_total') add(labels, own.get('label') ?? '', value);
    else if (name === 'inlay_rejected_total') add(rejected, own.get('reason') ?? '', value);
    else if (name === 'inlay_nonfinite_outputs_total') nonFinite += value;
    else if (name === 'inlay_answer_duration_seconds_bucket') add(times, boundOf(own), value);
    else {
      const route = own.get('route') ?? '';
      if (!isInference(route) || boundOf(own) !== Number.POSITIVE_INFINITY) continue;
      const kind = kindOf(own.get('code') ?? '');
      kinds[kind] += value;
      if (kind === 'refused' && value > 0) add(refused, route, value);
    }
  }
  return {
    requests: kinds.answered + kinds.refused + kinds.gone + kinds.failed,
    failed: kinds.failed,
    gone: kinds.gone,
    refused: Object.fromEntries(refused),
    latency: histogram(times),
    nonFinite,
    labels: Object.fromEntries(labels),
    rejected: Object.fromEntries([...rejected].filter(([, value]) => value > 0)),
  };
}

/** A bucket's upper bound; NaN where it has none that is a number. */
function boundOf(labels: ReadonlyMap<string, string>): number {
  const le = labels.get('le') ?? '';
  return le === '+Inf' ? Number.POSITIVE_INFINITY : le === '' ? Number.NaN : Number(le);
}

/** From counts that are added up by bound to counts of their own. */
function histogram(below: ReadonlyMap<number, number>): RoleWindow['latency'] {
  const bounds = [...below.keys()]
    .filter((bound) => bound > 0 && Number.isFinite(bound))
    .sort((one, other) => one - other);
  let last = 0;
  const counts = [...bounds, Number.POSITIVE_INFINITY].map((bound) => {
    const here = Math.max(last, below.get(bound) ?? last);
    const count = here - last;
    last = here;
    return count;
  });
  return { bounds, counts };
}

function add<Key>(map: Map<Key, number>, key: Key, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}
