import { type StepKind, stableRelease, withLast } from '../journal/index.ts';
import { ROLES } from '../names.ts';
import { canaryReplicas } from '../verdict/index.ts';
import { applyRoute, applyShared, applyWorkload, deleteShared, deleteWorkload } from './apply.ts';
import type { Session } from './session.ts';
import { StepFailed } from './step-failed.ts';
import { waitReady } from './wait-ready.ts';
import { watchBake, watchCanary } from './watch-canary.ts';

/**
 * What each kind of step does. Every one may be done twice: a release whose program died goes on with the step that it was in.
 * @throws StepFailed, StepPaused, StepCut
 */
export const ACTIONS: Readonly<Record<StepKind, (session: Session, index: number) => Promise<void>>> = {
  stable: async (session) => {
    const plan = session.planOf(session.release);
    const apply = { force: session.options.forceConflicts === true };
    await applyShared(session.kube, plan, apply);
    await applyWorkload(session.kube, plan, 'stable', plan.deploy.replicas, apply);
    await applyRoute(session.kube, plan, { stable: 100, canary: 0 }, apply);
    await waitReady(session, 'stable', true);
    await session.change({ stableFrom: now() });
  },

  canary: async (session, index) => {
    const { kube, release } = session;
    const plan = session.planOf(release);
    const asked = release.steps[index]?.weight?.asked ?? 0;
    const apply = { force: session.options.forceConflicts === true };
    const { stable } = await session.observe(undefined);
    const { max } = plan.deploy.replicas;
    const size = canaryReplicas({ stableReplicas: stable.deployment?.spec.replicas ?? 1, weightPercent: asked, max });
    await applyShared(kube, plan, apply);
    await applyWorkload(
      kube,
      plan,
      'canary',
      {
        initial: size.replicas,
        set: true,
        min: size.replicas,
        max: Math.max(size.replicas, Math.ceil((max * asked) / 100)),
      },
      apply,
    );
    const routed = plan.deploy.gateway !== undefined;
    const expected = routed ? asked / 100 : size.expectedShare;
    await session.changeStep(index, { weight: { asked, replicas: size.replicas, expected } });
    if (size.note && !routed) session.tell({ kind: 'note', text: size.note });
    const ready = await waitReady(session, 'canary', true);
    // Traffic comes when there is somebody to take it.
    await applyRoute(kube, plan, { stable: 100 - asked, canary: asked }, apply);
    await watchCanary(session, index, ready);
  },

  promote: async (session) => {
    const { kube, release } = session;
    const plan = session.planOf(release);
    const apply = { force: session.options.forceConflicts === true };
    await applyShared(kube, plan, apply);
    await applyWorkload(kube, plan, 'stable', plan.deploy.replicas, apply);
    await waitReady(session, 'stable', true);
    const at = now();
    const journal = withLast(session.journal, { stableFrom: at });
    // The one that was stable until now has an end.
    const before = stableRelease(session.journal);
    await session.save({
      ...journal,
      releases: journal.releases.map((one) =>
        one.number === before?.number && one.number !== release.number ? { ...one, stableTo: at } : one,
      ),
    });
  },

  retire: removeCanary,
  'remove-canary': removeCanary,

  bake: (session, index) => watchBake(session, index),

  restore: async (session) => {
    const { kube, release, journal } = session;
    const old = journal.releases.findLast(
      (one) =>
        one.number < release.number && one.image.digest === release.before?.digest && one.stableFrom !== undefined,
    );
    if (!old)
      throw new StepFailed('the journal has no longer what ran before', {
        hint: 'Deploy the version that ran before: inlay deploy IMAGE.',
      });
    const plan = session.planOf(old);
    const apply = { force: true };
    await applyShared(kube, plan, apply);
    await applyWorkload(kube, plan, 'stable', plan.deploy.replicas, apply);
    await applyRoute(kube, plan, { stable: 100, canary: 0 }, apply);
    await waitReady(session, 'stable', false);
  },
};

/** Takes the canary away, or all workloads of a first release that failed, and waits until their last requests are answered. */
async function removeCanary(session: Session): Promise<void> {
  const { kube, options, release } = session;
  const { namespace, service } = options;
  const plan = session.planOf(release);
  const roles = release.before ? (['canary'] as const) : ROLES;
  if (release.before) await applyRoute(kube, plan, { stable: 100, canary: 0 }, { force: true });
  for (const role of roles) await deleteWorkload(kube, namespace, service, role);
  if (!release.before) await deleteShared(kube, plan);
  for (;;) {
    const workloads = await session.tick('the last requests', false);
    if (roles.every((role) => !workloads[role].deployment && workloads[role].pods.length === 0)) return;
  }
}

function now(): string {
  return new Date().toISOString();
}
