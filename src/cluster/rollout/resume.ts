import { InlayError } from '../../error/index.ts';
import { type Release, unfinished } from '../journal/index.ts';
import { runSteps } from './run-steps.ts';
import { Session, type SessionOptions } from './session.ts';

export interface ResumeOptions extends SessionOptions {
  /** This release alone; one that has ended is told by its outcome. Undefined: whichever has not ended. */
  readonly release?: number | undefined;
}

/**
 * Goes on with a release that has not ended, from what the journal says alone: no image is read, no file is needed.
 * @throws NOTHING_TO_DO, RELEASE_PAUSED where somebody has to decide, RELEASE_BUSY, RELEASE_FAILED
 */
export async function resume(options: ResumeOptions): Promise<Release> {
  return Session.run(options, async (session) => {
    const asked = session.journal.releases.find(({ number }) => number === options.release);
    if (asked?.state === 'ended') return outcomeOf(asked);
    const going = unfinished(session.journal);
    if (!going)
      throw new InlayError('NOTHING_TO_DO', `${options.service} has no release that has not ended`, {
        hint: 'inlay status tells what runs.',
      });
    if (going.state === 'paused')
      throw new InlayError('RELEASE_PAUSED', `the release waits for a decision: ${going.reason ?? ''}`, {
        hint: 'inlay promote goes on, inlay abort backs out.',
      });
    await runSteps(session);
    return session.release;
  });
}

/** @throws RELEASE_FAILED where it was backed out */
function outcomeOf(release: Release): Release {
  if (release.outcome === 'released') return release;
  const { name, version } = release.image.contract;
  throw new InlayError('RELEASE_FAILED', `${name} ${version} was backed out: ${release.reason ?? ''}`, {
    hint: `inlay status ${name} tells what was measured.`,
  });
}
