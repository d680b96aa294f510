import { InlayError } from '../../error/index.ts';
import { type Release, unfinished } from '../journal/index.ts';
import { runSteps } from './run-steps.ts';
import { Session, type SessionOptions } from './session.ts';

/**
 * Goes on with a release that has not ended, from what the journal says alone: no image is read, no file is needed.
 * @throws NOTHING_TO_DO, RELEASE_PAUSED where somebody has to decide, RELEASE_BUSY, RELEASE_FAILED
 */
export async function resume(options: SessionOptions): Promise<Release> {
  return Session.run(options, async (session) => {
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
