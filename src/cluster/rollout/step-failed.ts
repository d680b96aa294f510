import type { Outcome } from '../verdict/index.ts';

/** A step that did not succeed: stable is to be as it was. Not an error of inlay's or the cluster's: those leave the release unfinished. */
export class StepFailed extends Error {
  /** `aborted`: somebody asked for it. */
  readonly outcome: 'backed-out' | 'aborted';
  readonly hint: string | undefined;

  constructor(
    reason: string,
    options: { readonly outcome?: 'backed-out' | 'aborted'; readonly hint?: string | undefined } = {},
  ) {
    super(reason);
    this.name = 'StepFailed';
    this.outcome = options.outcome ?? 'backed-out';
    this.hint = options.hint;
  }
}

/** A verdict that leaves the decision to somebody. */
export class StepPaused extends Error {
  readonly verdict: Outcome = 'inconclusive';
}

/** Somebody asked to promote now: the rest of the canary's steps is left out. */
export class StepCut extends Error {}

/** Who decided, and why. */
export function decidedBy(what: 'promoted' | 'aborted', by: string, reason: string | undefined): string {
  return `${what} by ${by}${reason ? `: ${reason}` : ''}`;
}
