import type { Deploy } from '../../contract/index.ts';
import type { RoleWindow } from './role-window.ts';

export type Limits = Deploy['canary']['limits'];

export type Outcome = 'pass' | 'fail' | 'inconclusive';

/**
 * What was looked at: `requests` of the canary at all; `errorRate`, `nonFinite`, `refused` (shares of requests), `p99` (seconds),
 * `labelShift` (total variation to stable, 0 to 1; of stable: its own pods to each other), `restarts` (a number), `memory` (share of the limit), `metrics` (pods that cannot be read).
 */
export type Metric =
  | 'requests'
  | 'errorRate'
  | 'p99'
  | 'nonFinite'
  | 'refused'
  | 'labelShift'
  | 'restarts'
  | 'memory'
  | 'metrics';

/** One metric's evidence. Units are those of `Metric`; null: there is no such number. */
export interface Reason {
  readonly metric: Metric;
  readonly outcome: Outcome | 'not-judged';
  readonly stable: number | null;
  readonly canary: number | null;
  /** What the canary may have at most (of `requests`: at least), in the metric's unit. */
  readonly limit: number | null;
  /** How many requests (of `labelShift`: rows; of restarts and memory: pods) each number is made of. */
  readonly sample: { readonly stable: number; readonly canary: number };
  /** What the numbers do not say; a sentence without a full stop. */
  readonly note?: string;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly reasons: readonly Reason[];
}

/** What a rule is given. `alpha` is how often it may call a canary worse that is not. */
export interface Evidence {
  readonly stable: RoleWindow;
  readonly canary: RoleWindow;
  readonly limits: Limits;
  readonly alpha: number;
}
