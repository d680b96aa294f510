import { InlayError, isInlayError } from '../../error/index.ts';
import {
  holderOf,
  JournalStore,
  previousRelease,
  type Release,
  stableRelease,
  unfinished,
  withRelease,
} from '../journal/index.ts';
import { Kube } from '../kube/index.ts';
import { beforeOf, unfinishedError } from './deploy.ts';
import { runSteps, skipCanary } from './run-steps.ts';
import { serviceNotFound } from './service-not-found.ts';
import { Session, type SessionOptions } from './session.ts';
import { decidedBy, StepFailed } from './step-failed.ts';
import { stepsOf } from './steps.ts';

export interface DecisionOptions extends SessionOptions {
  readonly reason?: string | undefined;
}

/** A Lease that has not been renewed for so long is nobody's, ms. */
const DEAD_MS = 16_000;

/**
 * Ends the canary in favour of the new version, whatever is left of its steps. Whoever works on the service is asked to.
 * @throws NOTHING_TO_DO, RELEASE_FAILED
 */
export async function promote(options: DecisionOptions): Promise<Release> {
  return decideOn(options, 'promote', async (session) => {
    const { state, image, reason = '' } = session.release;
    if (state === 'backing-out')
      throw new InlayError(
        'NOTHING_TO_DO',
        `${options.service} ${image.contract.version} is being backed out: ${reason}`,
        {
          hint: `inlay abort ${options.service} goes on with that; after it the version can be deployed again.`,
        },
      );
    await session.save(skipCanary(session, decidedBy('promoted', options.actor, options.reason)));
    await runSteps(session);
  });
}

/**
 * Backs a release out: stable is as it was.
 * @throws NOTHING_TO_DO
 */
export async function abort(options: DecisionOptions): Promise<Release> {
  return decideOn(options, 'abort', async (session) => {
    const why = new StepFailed(decidedBy('aborted', options.actor, options.reason), { outcome: 'aborted' });
    await expectBackedOut(() => runSteps(session, why));
  });
}

/**
 * Goes back to the version before the stable one: at once, pod by pod, by the digest that ran then. A release that has not ended
 * is backed out instead.
 * @throws NOTHING_TO_DO when there is none
 */
export async function rollback(options: DecisionOptions): Promise<Release> {
  const going = await goingOf(options);
  if (going) return abort(options);
  return Session.run(options, async (session) => {
    const { journal } = session;
    const still = unfinished(journal);
    if (still) throw unfinishedError(options, still);
    const [stable, previous] = [stableRelease(journal), previousRelease(journal)];
    if (!stable || !previous)
      throw new InlayError('NOTHING_TO_DO', `${options.service} has no earlier release to go back to`, {
        hint: 'inlay history tells what has run. Deploy a version: inlay deploy IMAGE.',
      });
    await session.save(
      withRelease(journal, {
        number: (journal.releases.at(-1)?.number ?? 0) + 1,
        kind: 'rollback',
        image: previous.image,
        deploy: previous.deploy,
        environment: previous.environment,
        before: beforeOf(stable),
        actor: options.actor,
        startedAt: new Date().toISOString(),
        state: 'running',
        steps: stepsOf('direct', session.planOf(previous).deploy),
        reason: options.reason,
      }),
    );
    await runSteps(session);
    return session.release;
  });
}

/** Asks the program that works on the service and follows it, or does it where none does. */
async function decideOn(
  options: DecisionOptions,
  kind: 'promote' | 'abort',
  act: (session: Session) => Promise<void>,
): Promise<Release> {
  const { kube, namespace, service } = options;
  const going = await goingOf(options);
  if (!going) throw nothing(options, kind);
  const store = new JournalStore(kube, namespace, service);
  await store.request({
    kind,
    by: options.actor,
    release: going.number,
    ...(options.reason ? { reason: options.reason } : {}),
  });
  const follower = new Follower(options, kind);
  try {
    for (;;) {
      const release = (await store.read())?.journal.releases.find(({ number }) => number === going.number);
      if (!release) throw nothing(options, kind);
      if (release.state === 'ended') return asWanted(options, kind, release);
      if (await follower.worksOnIt(release)) continue;
      try {
        return await Session.run(options, async (session) => {
          if (session.release.number !== going.number || session.release.state === 'ended')
            throw nothing(options, kind);
          await store.request(undefined);
          await act(session);
          return session.release;
        });
      } catch (error) {
        if (!isInlayError(error) || error.code !== 'RELEASE_BUSY') throw error;
      }
    }
  } catch (error) {
    if (isInlayError(error) && error.code === 'INTERRUPTED') await takeBack(options, going.number);
    throw error;
  }
}

/** Tells how another program goes on with a release, as long as it lives. */
class Follower {
  readonly #options: DecisionOptions;
  readonly #kind: 'promote' | 'abort';
  #renewedAt: string | undefined;
  #seenAt = 0;
  #told: string | undefined;

  constructor(options: DecisionOptions, kind: 'promote' | 'abort') {
    this.#options = options;
    this.#kind = kind;
  }

  /** Waits for a moment. @returns whether somebody renews the Lease: going by its changes, not by two clocks */
  async worksOnIt({ steps }: Release): Promise<boolean> {
    const { kube, namespace, service, onEvent } = this.#options;
    const holder = await holderOf(kube, namespace, service);
    if (!holder) return false;
    if (holder.renewedAt !== this.#renewedAt) this.#seenAt = performance.now();
    this.#renewedAt = holder.renewedAt;
    if (performance.now() - this.#seenAt > DEAD_MS) return false;
    if (this.#told === undefined)
      onEvent?.({ kind: 'note', text: `${holder.name} works on it, and is asked to ${WISHES[this.#kind]}` });
    const index = steps.findIndex(({ status }) => status === 'running');
    const step = steps[index];
    if (step && step.name !== this.#told) onEvent?.({ kind: 'step', step, index, steps });
    this.#told = step?.name ?? '';
    await Bun.sleep(1000);
    if (kube.signal?.aborted)
      throw new InlayError('INTERRUPTED', `stopped waiting for ${holder.name}`, { hint: 'inlay status tells on.' });
    return true;
  }
}

const WISHES = { promote: 'promote', abort: 'back out' } as const;

/** A wish that nobody has heeded yet is not left behind. */
async function takeBack({ kube, namespace, service }: SessionOptions, number: number): Promise<void> {
  const store = new JournalStore(new Kube(kube.connection, { patienceMs: 2000 }), namespace, service);
  try {
    if ((await store.read())?.request?.release === number) await store.request(undefined);
  } catch {
    // It is about this release alone, and is forgotten with it.
  }
}

/** How another program ended the release. @throws RELEASE_FAILED, NOTHING_TO_DO where that is not what was asked for */
function asWanted(options: DecisionOptions, kind: 'promote' | 'abort', release: Release): Release {
  const { service } = options;
  const { version } = release.image.contract;
  const released = release.outcome === 'released';
  if (kind === 'promote' && !released)
    throw new InlayError('RELEASE_FAILED', `${service} ${version} was backed out: ${release.reason ?? ''}`, {
      hint: `inlay status ${service} tells what was measured.`,
    });
  if (kind === 'abort' && released)
    throw new InlayError('NOTHING_TO_DO', `${service} ${version} was released before it could be backed out`, {
      hint: `To go back to the version before: inlay rollback ${service}.`,
    });
  return release;
}

async function goingOf({ kube, namespace, service }: SessionOptions): Promise<Release | undefined> {
  const found = await new JournalStore(kube, namespace, service).read();
  if (!found) throw await serviceNotFound(kube, namespace, service);
  return unfinished(found.journal);
}

/** An aborted release ends with the very error that says so. */
async function expectBackedOut(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof InlayError) || error.code !== 'RELEASE_FAILED') throw error;
  }
}

function nothing({ service }: SessionOptions, kind: string): InlayError {
  return new InlayError('NOTHING_TO_DO', `${service} has no release under way to ${kind}`, {
    hint: kind === 'abort' ? 'To go back to the version before: inlay rollback.' : 'inlay status tells what runs.',
  });
}
