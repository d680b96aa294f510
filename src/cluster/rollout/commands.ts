import { InlayError } from '../../error/index.ts';
import {
  JournalStore,
  previousRelease,
  type Release,
  stableRelease,
  unfinished,
  withRelease,
} from '../journal/index.ts';
import { beforeOf, unfinishedError } from './deploy.ts';
import { runSteps, skipCanary } from './run-steps.ts';
import { serviceNotFound } from './service-not-found.ts';
import { Session, type SessionOptions } from './session.ts';
import { StepFailed } from './step-failed.ts';
import { stepsOf } from './steps.ts';

export interface DecisionOptions extends SessionOptions {
  readonly reason?: string | undefined;
}

/** How long somebody who works on the service is given to heed a request, ms. */
const HEED_MS = 20_000;

/**
 * Ends the canary in favour of the new version, whatever is left of its steps. Whoever works on the service is asked to.
 * @throws NOTHING_TO_DO, RELEASE_FAILED
 */
export async function promote(options: DecisionOptions): Promise<Release> {
  return decideOn(options, 'promote', async (session) => {
    await session.save(skipCanary(session, `promoted by ${options.actor}`));
    await runSteps(session);
  });
}

/**
 * Backs a release out: stable is as it was.
 * @throws NOTHING_TO_DO
 */
export async function abort(options: DecisionOptions): Promise<Release> {
  return decideOn(options, 'abort', async (session) => {
    const why = new StepFailed(`aborted by ${options.actor}${options.reason ? `: ${options.reason}` : ''}`, {
      outcome: 'aborted',
    });
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

/** Asks the program that works on the service, or does it where none does. */
async function decideOn(
  options: DecisionOptions,
  kind: 'promote' | 'abort',
  act: (session: Session) => Promise<void>,
): Promise<Release> {
  const going = await goingOf(options);
  if (!going) throw nothing(options, kind);
  const request = {
    kind,
    by: options.actor,
    release: going.number,
    ...(options.reason ? { reason: options.reason } : {}),
  };
  const store = new JournalStore(options.kube, options.namespace, options.service);
  await store.request(request);
  const until = performance.now() + HEED_MS;
  for (;;) {
    const now = await store.read();
    const release = now?.journal.releases.find(({ number }) => number === going.number);
    if (release?.state === 'ended') return release;
    const heeded = now?.request === undefined;
    if (heeded && release) {
      // Somebody does it: follow until it is done.
      options.onEvent?.({
        kind: 'note',
        text: `${kind === 'abort' ? 'backing out' : 'promoting'}, by whoever works on it`,
      });
      return follow(options, store, going.number);
    }
    try {
      return await Session.run(options, async (session) => {
        if (session.release.number !== going.number || session.release.state === 'ended') throw nothing(options, kind);
        await store.request(undefined);
        await act(session);
        return session.release;
      });
    } catch (error) {
      if (!(error instanceof InlayError) || error.code !== 'RELEASE_BUSY' || performance.now() > until) throw error;
      await Bun.sleep(500);
    }
  }
}

async function follow(options: DecisionOptions, store: JournalStore, number: number): Promise<Release> {
  for (let told = ''; ; ) {
    const release = (await store.read())?.journal.releases.find((one) => one.number === number);
    if (release === undefined || release.state === 'ended') {
      if (release) return release;
      throw nothing(options, 'abort');
    }
    const index = release.steps.findIndex(({ status }) => status === 'running');
    const step = release.steps[index];
    if (step && step.name !== told) {
      told = step.name;
      options.onEvent?.({ kind: 'step', step, index, steps: release.steps });
    }
    await Bun.sleep(1000);
    if (options.kube.signal?.aborted)
      throw new InlayError('INTERRUPTED', 'stopped following the release', { hint: 'It goes on: inlay status tells.' });
  }
}

async function goingOf({ kube, namespace, service }: SessionOptions): Promise<Release | undefined> {
  const found = await new JournalStore(kube, namespace, service).read();
  if (!found) throw serviceNotFound(kube, namespace, service);
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
