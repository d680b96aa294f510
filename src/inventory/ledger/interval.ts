import type { ServerRow } from '../row.ts';

/** What makes an interval another one: what runs, who answers for it, and what is not as it should be. */
export interface IntervalFacts {
  readonly digest: string | null;
  readonly image: string | null;
  readonly reference: string;
  readonly owner: string | null;
  /** Kinds, with blanks between. */
  readonly drift: string;
}

export function intervalFacts(row: ServerRow): IntervalFacts {
  return {
    digest: row.image.digest,
    image: row.image.index,
    reference: row.image.reference,
    owner: row.owner,
    drift: row.drift
      .map(({ kind }) => kind)
      .sort()
      .join(' '),
  };
}

/** Whether the same goes on; a digest that is not known yet, or no longer, does not end it. */
export function goesOn(before: IntervalFacts, now: IntervalFacts): boolean {
  const same =
    before.digest === now.digest || now.digest === null || (before.image !== null && before.image === now.image);
  return same && before.owner === now.owner && before.drift === now.drift;
}

/**
 * From when an interval counts: what the cluster itself says, where that is before it was observed and after what ran before; all ms
 * since 1970.
 */
export function startsAt(since: number | undefined, observedFrom: number, previousEnd: number | undefined): number {
  if (since === undefined || since > observedFrom) return observedFrom;
  return previousEnd === undefined ? since : Math.max(since, previousEnd);
}

export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** The times between watches, within [from, to). */
export function gapsOf(watches: readonly Gap[], from: number, to: number): Gap[] {
  const gaps: Gap[] = [];
  let at = from;
  for (const watch of [...watches].sort((a, b) => a.from - b.from)) {
    if (watch.to <= at) continue;
    if (watch.from > at && at < to) gaps.push({ from: at, to: Math.min(watch.from, to) });
    at = Math.max(at, watch.to);
  }
  if (at < to) gaps.push({ from: at, to });
  return gaps;
}
