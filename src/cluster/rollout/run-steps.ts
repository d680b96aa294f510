import { InlayError } from '../../error/index.ts';
import { type Release, releaseBefore, type Step, withLast, withRelease } from '../journal/index.ts';
import { ACTIONS } from './act.ts';
import type { Session } from './session.ts';
import { StepCut, StepFailed, StepPaused } from './step-failed.ts';
import { backOutSteps } from './steps.ts';

/**
 * Goes through the steps of the journal's last release from the first that is not done, and writes each down before and after. Where a
 * step fails, what has been done is undone.
 * @param why somebody wants it undone before the next step
 * @throws RELEASE_FAILED when it was backed out, RELEASE_PAUSED when somebody has to decide; whatever else is thrown leaves the
 * release where it is, for the next program
 */
export async function runSteps(session: Session, why?: StepFailed): Promise<void> {
  const { state, reason } = session.release;
  if (state === 'backing-out') return backOut(session, new StepFailed(reason ?? ''));
  if (why) return backOut(session, why);
  if (state === 'paused') await session.change({ state: 'running' });
  let index = nextOf(session.release);
  try {
    for (; index !== undefined; index = nextOf(session.release)) await runStep(session, index);
  } catch (error) {
    if (error instanceof StepFailed) return backOut(session, error, index);
    if (error instanceof StepPaused) {
      await session.change({ state: 'paused', reason: error.message });
      throw new InlayError('RELEASE_PAUSED', `the verdict is inconclusive: ${error.message}`, {
        hint: 'The canary waits beside stable. inlay promote goes on, inlay abort backs out.',
      });
    }
    if (!(error instanceof InlayError && error.code === 'INTERRUPTED'))
      session.tell({
        kind: 'note',
        text: `the release has not ended: the same command goes on with it, inlay abort ${session.options.service} backs it out`,
      });
    throw error;
  }
  await session.change({ state: 'ended', outcome: 'released', endedAt: now() });
}

function nextOf({ steps }: Release): number | undefined {
  const index = steps.findIndex(isOpen);
  return index === -1 ? undefined : index;
}

async function runStep(session: Session, index: number): Promise<void> {
  const step = session.release.steps[index] as Step;
  const begun = performance.now();
  const took = () => ({ tookMs: Math.round(performance.now() - begun) });
  await session.changeStep(index, { status: 'running', startedAt: now(), tookMs: undefined, detail: undefined });
  try {
    await ACTIONS[step.kind](session, index);
    await session.changeStep(index, { status: 'done', ...took() });
  } catch (error) {
    if (error instanceof StepCut) return cut(session, error);
    // One that failed is written down by whoever decides what follows, in one go: a release that dies in between goes on with it.
    if (error instanceof StepPaused)
      await session.changeStep(index, { status: 'paused', detail: 'inconclusive', ...took() });
    throw error;
  }
}

/** Leaves out what is left of the canary's steps. A step that no promotion can cut short, the promotion itself, goes on. */
async function cut(session: Session, { message }: StepCut): Promise<void> {
  session.tell({ kind: 'note', text: message });
  await session.save(skipCanary(session, message));
  await session.heeded('promote');
}

/** The journal with the canary's remaining steps skipped. */
export function skipCanary({ journal, release }: Pick<Session, 'journal' | 'release'>, why: string) {
  return withLast(journal, {
    reason: why,
    steps: release.steps.map((step) =>
      step.kind === 'canary' && isOpen(step) ? { ...step, status: 'skipped' as const, detail: why } : step,
    ),
  });
}

/** @param failedAt the step that failed; none where somebody wants it undone before the next one */
async function backOut(session: Session, failure: StepFailed, failedAt?: number): Promise<never> {
  const { release } = session;
  if (release.state !== 'backing-out') {
    const ended = release.steps.map((step, i) => (i === failedAt ? failedStep(step, failure) : leftOut(step)));
    const steps = [...ended, ...backOutSteps(release.steps)];
    await session.change({ state: 'backing-out', reason: failure.message, outcome: failure.outcome, steps });
    await session.heeded();
    const step = steps[failedAt ?? -1];
    if (failedAt !== undefined && step) session.tell({ kind: 'step', step, index: failedAt, steps });
  }
  for (let index = nextOf(session.release); index !== undefined; index = nextOf(session.release))
    await undo(session, index);
  await session.save(backedOut(session));
  const { reason = '', image, outcome = 'backed-out' } = session.release;
  const before = release.before;
  throw new InlayError(
    'RELEASE_FAILED',
    `${image.contract.name} ${image.contract.version} was ${outcome === 'aborted' ? 'backed out' : 'refused and backed out'}: ${reason}`,
    {
      hint: [before ? `Stable is ${before.version}, as before.` : 'What was made was removed.', failure.hint ?? '']
        .join(' ')
        .trim(),
    },
  );
}

/** A step that undoes is never given up: it is open until it has succeeded. */
async function undo(session: Session, index: number): Promise<void> {
  try {
    await runStep(session, index);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    await session.changeStep(index, { status: 'pending', detail: error.message });
    const { service } = session.options;
    throw new InlayError('RELEASE_UNFINISHED', `backing ${service} out has not come to its end: ${error.message}`, {
      hint: `${error.hint ?? ''} When that is mended, inlay abort ${service} goes on.`.trim(),
    });
  }
}

/** The journal when all is undone; where the new one had been stable, the old one is so again from now on. */
function backedOut({ journal, release }: Session) {
  const at = now();
  const ended = withLast(journal, {
    state: 'ended',
    endedAt: at,
    ...(release.stableFrom === undefined ? {} : { stableTo: at }),
  });
  const old = releaseBefore(journal, release);
  if (release.stableFrom === undefined || !old || release.before === undefined) return ended;
  return withRelease(ended, {
    ...old,
    number: release.number + 1,
    kind: 'rollback',
    actor: release.actor,
    startedAt: at,
    endedAt: at,
    stableFrom: at,
    stableTo: undefined,
    state: 'ended',
    outcome: 'released',
    reason: `${release.image.contract.version} was backed out: ${release.reason ?? ''}`,
    steps: [],
    before: {
      reference: release.image.reference,
      digest: release.image.digest,
      version: release.image.contract.version,
    },
  });
}

function failedStep(step: Step, { message }: StepFailed): Step {
  const took = step.startedAt === undefined ? {} : { tookMs: Math.max(0, Date.now() - Date.parse(step.startedAt)) };
  return { ...step, status: 'failed', detail: message, ...took };
}

function leftOut(step: Step): Step {
  return isOpen(step) ? { ...step, status: 'skipped' } : step;
}

function isOpen({ status }: Step): boolean {
  return status === 'pending' || status === 'running' || status === 'paused';
}

function now(): string {
  return new Date().toISOString();
}
