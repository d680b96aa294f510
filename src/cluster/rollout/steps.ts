import type { Deploy } from '../../contract/index.ts';
import type { Step, StepKind } from '../journal/index.ts';
import { formatDuration } from './duration.ts';

/** The steps of a release, in order; none has begun. */
export function stepsOf(kind: 'first' | 'canary' | 'direct', { canary }: Pick<Deploy, 'canary'>): Step[] {
  const bake: Step[] = canary.bakeMs > 0 ? [pending('bake', `bake ${formatDuration(canary.bakeMs)}`)] : [];
  if (kind === 'first') return [pending('stable', 'stable')];
  if (kind === 'direct') return [pending('promote', 'promote')];
  return [
    ...canary.steps.map((asked): Step => ({ ...pending('canary', `canary ${asked} %`), weight: { asked } })),
    pending('promote', 'promote'),
    pending('retire', 'retire canary'),
    ...bake,
  ];
}

/** What a release without a canary does with one that is there all the same. */
export const STRAY: readonly Step[] = [pending('retire', 'retire canary')];

/** The steps that undo a release, going by those that have begun: what never was need not be taken back. */
export function backOutSteps(steps: readonly Step[]): Step[] {
  // What was skipped after it had begun, as a promotion skips the canary's steps, has done something all the same.
  const begun = (kind: StepKind) =>
    steps.some(
      ({ kind: one, status, startedAt }) =>
        one === kind && ((status !== 'pending' && status !== 'skipped') || startedAt !== undefined),
    );
  const retired = steps.some((step) => step.kind === 'retire' && step.status === 'done');
  return [
    ...(begun('promote') ? [pending('restore', 'restore stable')] : []),
    ...(begun('stable') ? [pending('remove-canary', 'remove what was made')] : []),
    ...(begun('canary') && !retired ? [pending('remove-canary', 'remove canary')] : []),
  ];
}

function pending(kind: StepKind, name: string): Step {
  return { kind, name, status: 'pending' };
}
