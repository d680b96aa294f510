import { ALPHA, ALPHA_EARLY } from './compare.ts';
import { judgeErrors } from './judge-errors.ts';
import { judgeLabels } from './judge-labels.ts';
import { judgeNonFinite } from './judge-non-finite.ts';
import { judgeP99 } from './judge-p99.ts';
import { judgeMemory, judgeRestarts, judgeUnreadable } from './judge-pods.ts';
import { judgeRefused } from './judge-refused.ts';
import { judgeRequests } from './judge-requests.ts';
import type { RoleWindow } from './role-window.ts';
import type { Evidence, Limits, Outcome, Reason, Verdict } from './verdict.ts';

export interface Question {
  readonly stable: RoleWindow;
  /** Of the same time. */
  readonly canary: RoleWindow;
  readonly limits: Limits;
}

/**
 * What two windows of the same time say of the canary (docs/verdict.md). A failure beats what is inconclusive, and that a pass. Each metric that
 * was looked at is a reason, those that were fine too.
 */
export function judge({ stable, canary, limits }: Question): Verdict {
  return judgeAt({ stable, canary, limits, alpha: ALPHA });
}

/**
 * Whether the canary need not be watched to the window's end: asked at each scrape, it wants stronger proof (1 in 10 000), so that
 * a hundred looks are wrong as seldom as the one at the end. Restarts and memory count at once.
 */
export function failsAlready({ stable, canary, limits }: Question): Verdict | undefined {
  const verdict = judgeAt({ stable, canary, limits, alpha: ALPHA_EARLY });
  return verdict.outcome === 'fail' ? verdict : undefined;
}

/**
 * The bake watch: the new stable after the promotion against what the old one did before, by the same rules. The two are not of
 * the same time, so keep the reference close: the window of the last step.
 */
export function judgeBake(question: {
  readonly before: RoleWindow;
  readonly now: RoleWindow;
  readonly limits: Limits;
}): Verdict {
  return judge({ stable: question.before, canary: question.now, limits: question.limits });
}

/** `failsAlready` of the bake watch. */
export function bakeFailsAlready(question: {
  readonly before: RoleWindow;
  readonly now: RoleWindow;
  readonly limits: Limits;
}): Verdict | undefined {
  return failsAlready({ stable: question.before, canary: question.now, limits: question.limits });
}

function judgeAt(evidence: Evidence): Verdict {
  const reasons = [
    judgeRequests,
    judgeErrors,
    judgeP99,
    judgeNonFinite,
    judgeLabels,
    judgeRefused,
    judgeRestarts,
    judgeMemory,
    judgeUnreadable,
  ].flatMap((rule): Reason[] => {
    const reason = rule(evidence);
    return reason ? [reason] : [];
  });
  return { outcome: worst(reasons), reasons };
}

function worst(reasons: readonly Reason[]): Outcome {
  const has = (outcome: Outcome) => reasons.some((reason) => reason.outcome === outcome);
  if (has('fail')) return 'fail';
  return has('inconclusive') ? 'inconclusive' : 'pass';
}
