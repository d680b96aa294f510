import { type EnvironmentConfig, withDefaults } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import { emptyJournal, type Journal, type Release, stableRelease, unfinished, withRelease } from '../journal/index.ts';
import { namespaceOf } from '../manifests/index.ts';
import { FIELD_MANAGER } from '../names.ts';
import type { ReleaseImage } from '../service.ts';
import { adopt, type ResolveImage } from './adopt.ts';
import { namespaceIsThere } from './apply.ts';
import { hasDrifted } from './has-drifted.ts';
import { runSteps } from './run-steps.ts';
import { Session, type SessionOptions } from './session.ts';
import { STRAY, stepsOf } from './steps.ts';

export interface DeployOptions extends SessionOptions {
  readonly image: ReleaseImage;
  /** What inlay.yaml says for the environment. Undefined: what the last release had. */
  readonly deploy: EnvironmentConfig | undefined;
  readonly environment?: string | undefined;
  /** No canary: stable takes the image at once, one pod after the other. */
  readonly direct?: boolean | undefined;
  /** Asked before anything is changed. @throws RELEASE_REFUSED */
  readonly preflight?: ((journal: Journal) => Promise<void>) | undefined;
  /** The release is only begun: whoever this starts goes on with it from the journal, once the Lease is free. */
  readonly detach?: ((release: Release) => Promise<void>) | undefined;
  /** For a stable Deployment that no journal knows. */
  readonly resolve?: ResolveImage | undefined;
}

/** How a release went. */
export interface Deployed {
  readonly release: Release;
  /** True when the image was stable already and runs as it was released, so that nothing was done. */
  readonly unchanged: boolean;
}

/**
 * Releases an image: at once where there is none, otherwise as a canary beside stable. A release of the same image that has not
 * ended is gone on with.
 * @throws RELEASE_BUSY, RELEASE_UNFINISHED (another image's release has not ended), RELEASE_REFUSED, RELEASE_FAILED, RELEASE_PAUSED
 */
export async function deploy(options: DeployOptions): Promise<Deployed> {
  const looked = await makeNamespace(options);
  const go = async (session: Session) => (options.detach ? options.detach(session.release) : runSteps(session));
  return Session.run(options, async (session) => {
    const going = unfinished(session.journal);
    if (going) {
      if (going.image.digest !== options.image.digest) throw unfinishedError(options, going);
      session.tell({ kind: 'note', text: `goes on with the release of ${going.startedAt} by ${going.actor}` });
      // Its Job would find that it waits for somebody, who is here.
      if (options.detach && going.state === 'paused') await session.change({ state: 'running' });
      await go(session);
      return { release: session.release, unchanged: false };
    }
    const journal = await adopt(session.kube, options.namespace, session.journal, options);
    const release = await withoutStray(session, releaseOf(options, journal));
    const stable = stableRelease(journal);
    if (stable?.image.digest === release.image.digest && same(stable, release) && !(await hasDrifted(session, stable)))
      return { release: stable, unchanged: true };
    if (!looked) await options.preflight?.(journal);
    await session.save(withRelease(journal, release));
    await go(session);
    return { release: session.release, unchanged: false };
  });
}

/** A canary of no release, left by somebody who lost the journal, would go on taking requests beside a release that has none. */
async function withoutStray(session: Session, release: Release): Promise<Release> {
  if (release.steps.some(({ kind }) => kind === 'canary')) return release;
  const { canary } = await session.observe(undefined);
  if (!canary.deployment) return release;
  session.tell({ kind: 'note', text: 'there is a canary of no release: it is taken away' });
  return { ...release, steps: [...release.steps, ...STRAY] };
}

/** The journal lies in the service's namespace, so that has to be first. @returns whether the preflight is done */
async function makeNamespace({ kube, namespace, service, preflight }: DeployOptions): Promise<boolean> {
  if (await namespaceIsThere(kube, namespace)) return false;
  await preflight?.(emptyJournal(service));
  await kube.apply(namespaceOf({ namespace }), { manager: FIELD_MANAGER });
  return true;
}

/** The release as it begins. @throws USAGE where nobody ever said how it is to run */
export function releaseOf(options: DeployOptions, journal: Journal): Release {
  const { image, direct, actor } = options;
  const stable = stableRelease(journal);
  const last = journal.releases.at(-1);
  const deploy = options.deploy ?? (stable ?? last)?.deploy;
  if (deploy === undefined) throw unsaid(options.service);
  const environment = options.deploy === undefined ? (stable ?? last)?.environment : options.environment;
  // An image that is stable already has nothing to be compared with: its deploy: alone has changed.
  const kind = stable === undefined ? 'first' : direct || stable.image.digest === image.digest ? 'direct' : 'canary';
  const draft = { image, deploy, ...(environment === undefined ? {} : { environment }) };
  return {
    number: (last?.number ?? 0) + 1,
    kind: 'release',
    ...draft,
    ...(stable ? { before: beforeOf(stable) } : {}),
    actor,
    startedAt: new Date().toISOString(),
    state: 'running',
    steps: stepsOf(kind, withDefaults(deploy, environment)),
  };
}

/** The error where nobody ever said how a service is to run. */
export function unsaid(service: string): InlayError {
  return new InlayError('USAGE', `inlay has not released ${service} here, and no inlay.yaml says how it is to run`, {
    hint: 'Name it: inlay deploy IMAGE --config inlay.yaml.',
  });
}

/** What a release names as the one before it. */
export function beforeOf({ image }: Release): NonNullable<Release['before']> {
  return { reference: image.reference, digest: image.digest, version: image.contract.version };
}

function same(a: Release, b: Release): boolean {
  // Not as text: the keys of an environment laid over others have another order than the journal's.
  return Bun.deepEquals(a.deploy, b.deploy) && a.environment === b.environment;
}

export function unfinishedError({ namespace, service }: SessionOptions, going: Release): InlayError {
  const { version } = going.image.contract;
  return new InlayError(
    'RELEASE_UNFINISHED',
    `the release of ${service} ${version} to ${namespace} of ${going.startedAt} by ${going.actor} has not ended${going.state === 'paused' ? ': it waits for a decision' : ''}`,
    { hint: `inlay deploy ${going.image.reference} goes on with it, inlay abort ${service} backs it out.` },
  );
}
