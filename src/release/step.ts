/** The steps of a release, in their order. */
export const STEPS = ['fetch', 'train', 'check', 'build', 'golden', 'sign', 'push', 'deploy', 'record'] as const;
export type StepName = (typeof STEPS)[number];

/**
 * `kept`: done before, of the same inputs, and not again. `skipped`: not asked for. `planned`: what a dry run says of a step that
 * it does not take.
 */
export type StepStatus = 'done' | 'kept' | 'skipped' | 'planned' | 'failed' | 'not reached';

/** How a step went. */
export interface StepReport {
  readonly name: StepName;
  readonly status: StepStatus;
  /** RFC 3339. */
  readonly startedAt?: string;
  readonly tookMs?: number;
  /** What was done, or why it was not. */
  readonly detail?: string;
}

/** What a step says of itself when it has not failed. */
export interface StepOutcome {
  readonly status: Exclude<StepStatus, 'failed' | 'not reached'>;
  readonly detail: string;
}
