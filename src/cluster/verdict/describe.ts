import { grouped, milliseconds, percent, short } from './numbers.ts';
import type { Metric, Reason, Verdict } from './verdict.ts';

/** The metrics of the summary, and how their numbers are written: the canary's first, then stable's. */
const SUMMARY: Partial<Record<Metric, (reason: Reason) => string>> = {
  errorRate: ({ canary, stable }) => `errors ${both(canary, stable, percent)}`,
  p99: ({ canary, stable }) => `p99 ${both(canary, stable, milliseconds)} ms`,
  nonFinite: ({ canary, sample }) => `NaN ${canary === null ? '-' : grouped(canary * sample.canary)}`,
  labelShift: ({ canary, limit, outcome }) =>
    outcome === 'not-judged' ? '' : `label shift ${(canary ?? 0).toFixed(3)} (limit ${limit})`,
};

const NAMES: Readonly<Record<Metric, string>> = {
  requests: 'requests',
  errorRate: 'errors',
  p99: 'p99',
  nonFinite: 'NaN',
  refused: 'refused',
  labelShift: 'label shift',
  restarts: 'restarts',
  memory: 'memory',
  metrics: 'metrics',
};

/**
 * A verdict for people, canary's number first: a line with all of it, then a line for each metric that was not fine, and for those that
 * could not be judged.
 *
 *     errors 0 % / 0 %   p99 2.1 / 2.0 ms   NaN 0   label shift 0.004 (limit 0.05)   pass
 */
export function describeVerdict({ outcome, reasons }: Verdict): string {
  const summary = reasons.flatMap((reason) => SUMMARY[reason.metric]?.(reason) || []);
  const more = reasons.filter(isWorthALine);
  return [[...summary, outcome].join('   '), ...more.map(describeReason)].join('\n');
}

/** What is fine speaks through the summary; what was not judged is told where there was something to judge. */
function isWorthALine({ outcome, note, sample }: Reason): boolean {
  if (outcome === 'pass') return note !== undefined;
  return outcome !== 'not-judged' || (note !== undefined && sample.canary > 0);
}

/** One metric's evidence in a line: `errors 2.1 % / 0 % of 2 496 / 9 984 requests, limit 1 %: fail`. */
export function describeReason(reason: Reason): string {
  const { metric, canary, stable, limit, sample, note, outcome } = reason;
  const write = WRITE[metric];
  const numbers = metric === 'labelShift' ? one(canary, write) : both(canary, stable, write);
  const of =
    metric === 'requests' || metric === 'metrics' || metric === 'restarts' || metric === 'memory'
      ? ''
      : ` of ${grouped(sample.canary)} / ${grouped(sample.stable)} ${metric === 'labelShift' ? 'rows' : 'requests'}`;
  const bound = limit === null ? '' : `, ${metric === 'requests' ? 'least' : 'limit'} ${write(limit)}`;
  return `${NAMES[metric]} ${numbers}${of}${bound}: ${outcome.replace('-', ' ')}${note === undefined ? '' : ` (${note})`}`;
}

const WRITE: Readonly<Record<Metric, (value: number) => string>> = {
  requests: grouped,
  errorRate: percent,
  p99: (seconds) => `${milliseconds(seconds)} ms`,
  nonFinite: percent,
  refused: percent,
  labelShift: short,
  restarts: grouped,
  memory: percent,
  metrics: grouped,
};

function both(canary: number | null, stable: number | null, write: (value: number) => string): string {
  return `${one(canary, write)} / ${one(stable, write)}`;
}

function one(value: number | null, write: (value: number) => string): string {
  return value === null ? '-' : write(value);
}
