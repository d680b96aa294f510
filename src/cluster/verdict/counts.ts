import { isInference, kindOf } from '../../contract/index.ts';
import { type Counters, seriesOf } from './page.ts';
import type { RoleWindow } from './role-window.ts';

/** The part of a window that is counted. */
export type Counts = Pick<
  RoleWindow,
  'requests' | 'failed' | 'gone' | 'refused' | 'latency' | 'nonFinite' | 'labels' | 'rejected'
>;

/** Counters in a verdict's own terms: requests on routes that ask the model by what became of them, rows by label, times. */
export function readCounts(counters: Counters): Counts {
  const kinds = { answered: 0, refused: 0, gone: 0, failed: 0 };
  const refused = new Map<string, number>();
  const labels = new Map<string, number>();
  const rejected = new Map<string, number>();
  const below = new Map<number, number>();
  let nonFinite = 0;
  for (const [key, value] of counters) {
    const { name, labels: own } = seriesOf(key);
    if (name === 'inlay_predictions_total') add(labels, own.get('label') ?? '', value);
    else if (name === 'inlay_rejected_total') add(rejected, own.get('reason') ?? '', value);
    else if (name === 'inlay_nonfinite_outputs_total') nonFinite += value;
    else if (name === 'inlay_answer_duration_seconds_bucket') add(below, boundOf(own), value);
    else {
      const route = own.get('route') ?? '';
      if (!isInference(route)) continue;
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
    latency: histogram(below),
    nonFinite,
    labels: Object.fromEntries(labels),
    rejected: Object.fromEntries([...rejected].filter(([, value]) => value > 0)),
  };
}

/** A bucket's upper bound; NaN where it has none that is a number. */
function boundOf(labels: ReadonlyMap<string, string>): number {
  const le = labels.get('le') ?? '';
  if (le === '+Inf') return Number.POSITIVE_INFINITY;
  return le === '' ? Number.NaN : Number(le);
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
