import type { IntervalAnswer, TimelineAnswer } from './wire.ts';

/** A stretch of time as a part of the whole: fractions of the width. */
export interface Stretch {
  readonly left: number;
  readonly width: number;
}

export interface Bar extends Stretch {
  readonly interval: IntervalAnswer;
  /** How much of its beginning a gap hides, of the whole width: what is written on it begins after that. */
  readonly hidden: number;
}

/** One line of the chart: a role, with what it ran. */
export interface Lane {
  readonly role: string;
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly from: number;
  readonly to: number;
  readonly lanes: readonly Lane[];
  readonly gaps: readonly Stretch[];
  readonly ticks: readonly { readonly at: number; readonly left: number }[];
}

/** Ranges that a timeline is looked at in, days; all of it where there is none. */
export const RANGES: Readonly<Record<string, number>> = { '24h': 1, '7d': 7, '30d': 30, '90d': 90, '1y': 365 };
const DAY = 86_400_000;
/** What a chart spans at least, ms. */
const SHORTEST = 300_000;
/** Less than a name needs, of the width. */
const SLIGHT = 0.04;

/** @param range a name of RANGES @param now ms since 1970 */
export function chartOf({ intervals, gaps }: TimelineAnswer, range: string | undefined, now: number): Chart {
  const days = RANGES[range ?? ''];
  const starts = intervals.map(({ startedAt }) => Date.parse(startedAt));
  const from = days === undefined ? Math.min(now - SHORTEST, ...starts) : now - days * DAY;
  const stretch = (start: number, end: number): Stretch => {
    const left = Math.max(0, (start - from) / (now - from));
    return { left, width: Math.max(0, (end - from) / (now - from) - left) };
  };
  const unknown = gaps
    .map((gap) => ({ from: Date.parse(gap.from), to: Date.parse(gap.to) }))
    .filter((gap) => gap.to > from)
    .map((gap) => stretch(gap.from, gap.to));
  const lanes = new Map<string, Bar[]>();
  for (const interval of intervals) {
    const end = interval.observedTo === null ? now : Date.parse(interval.observedTo);
    if (end <= from) continue;
    const role = interval.role || 'no role';
    const bar = stretch(Date.parse(interval.startedAt), end);
    const over = unknown.find((gap) => gap.left <= bar.left + SLIGHT && gap.left + gap.width > bar.left);
    const hidden = over ? Math.min(bar.width, over.left + over.width - bar.left) : 0;
    lanes.set(role, [...(lanes.get(role) ?? []), { interval, ...bar, hidden }]);
  }
  return {
    from,
    to: now,
    lanes: [...lanes].map(([role, bars]) => ({ role, bars })).sort((a, b) => rankOf(a.role) - rankOf(b.role)),
    gaps: unknown,
    ticks: [0, 0.25, 0.5, 0.75, 1].map((left) => ({ left, at: from + left * (now - from) })),
  };
}

function rankOf(role: string): number {
  const at = ['stable', 'canary'].indexOf(role);
  return at === -1 ? 2 : at;
}

export type Entry =
  | { readonly kind: 'ran'; readonly at: number; readonly interval: IntervalAnswer }
  | { readonly kind: 'gap'; readonly at: number; readonly from: number; readonly to: number };

/** What ran and where nobody watched, newest first. @param from ms since 1970: what ended before is left out */
export function entriesOf({ intervals, gaps }: TimelineAnswer, from: number): readonly Entry[] {
  const ran = intervals
    .filter(({ observedTo }) => observedTo === null || Date.parse(observedTo) > from)
    .map((interval): Entry => ({ kind: 'ran', at: Date.parse(interval.startedAt), interval }));
  const unknown = gaps
    .map((gap): Entry & { kind: 'gap' } => ({
      kind: 'gap',
      at: Date.parse(gap.from),
      from: Date.parse(gap.from),
      to: Date.parse(gap.to),
    }))
    .filter((gap) => gap.to > from);
  return [...ran, ...unknown].sort((a, b) => b.at - a.at);
}
