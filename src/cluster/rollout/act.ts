import { releaseBefore, type StepKind, stableRelease, withLast } from '../journal/index.ts';
import { lifecycleOf } from '../manifests/index.ts';
import { ROLES, type Role } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { canaryReplicas } from '../verdict/index.ts';
import { applyRoute, applyShared, applyWorkload, deleteShared, deleteWorkload, holdAutoscaler } from './apply.ts';
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
    await waitReady(session, 'stable', plan.image, true);
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
    await holdStable(session, stable.deployment?.spec.replicas ?? 0);
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
    const ready = await waitReady(session, 'canary', plan.image, true);
    // Traffic comes when there is somebody to take it.
    await applyRoute(kube, plan, { stable: 100 - asked, canary: asked }, apply);
    await watchCanary(session, index, ready);
  },

  promote: async (session) => {
    const { kube, release } = session;
    const plan = session.planOf(release);
    const apply = { force: session.options.forceConflicts === true };
    await applyShared(kube, plan, apply);
    await applyWorkload(kube, plan, 'stable', await heldReplicas(session, plan), apply);
    await waitReady(session, 'stable', plan.image, true);
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

  retire: async (session) => {
    await applyRoute(session.kube, session.planOf(session.release), { stable: 100, canary: 0 }, { force: true });
    const again = await remove(session, ['canary']);
    if (again) session.tell({ kind: 'note', text: again });
    await holdStable(session, 0);
  },
  'remove-canary': async (session) => {
    const { kube, release, journal } = session;
    const old = releaseBefore(journal, release);
    if (release.before) {
      const plan = session.planOf(old ?? release);
      // What both roles share was made the new one's before its canary began.
      if (old) await applyShared(kube, plan, { force: true });
      await applyRoute(kube, plan, { stable: 100, canary: 0 }, { force: true });
    }
    const again = await remove(session, release.before ? ['canary'] : ROLES);
    if (again) throw new StepFailed(again, { hint: 'Let it go of it, a GitOps tool for example.' });
    if (!release.before) await deleteShared(kube, session.planOf(release));
    await holdStable(session, 0);
  },

  bake: (session, index) => watchBake(session, index),

  restore: async (session) => {
    const { kube, release, journal } = session;
    const old = releaseBefore(journal, release);
    if (!old) {
      session.tell({ kind: 'note', text: 'the journal has no longer what ran before: deploy that version again' });
      return;
    }
    const plan = session.planOf(old);
    const apply = { force: true };
    await applyShared(kube, plan, apply);
    await applyWorkload(kube, plan, 'stable', await heldReplicas(session, plan), apply);
    await applyRoute(kube, plan, { stable: 100, canary: 0 }, apply);
    await waitReady(session, 'stable', plan.image, false);
  },
};

/**
 * Takes the workloads of roles away, and waits until their last requests are answered.
 * @returns what somebody else has made anew meanwhile, in words
 */
async function remove(session: Session, roles: readonly Role[]): Promise<string | undefined> {
  const { kube, options, release } = session;
  const { namespace, service } = options;
  for (const role of roles) await deleteWorkload(kube, namespace, service, role);
  const until = performance.now() + (lifecycleOf(session.planOf(release)).graceS + LATE_S) * 1000;
  for (;;) {
    const workloads = await session.tick('the last requests', false);
    const left = roles.flatMap((role) => workloads[role].pods);
    const again = roles.flatMap((role) => workloads[role].deployment ?? []);
    const inTime = performance.now() < until;
    if (again.length > 0) {
      if (inTime) continue;
      return `somebody else has made Deployment ${again.map(({ metadata }) => metadata.name).join(', ')} anew`;
    }
    if (left.length === 0) return undefined;
    if (inTime || left.some(({ metadata }) => metadata.deletionTimestamp === undefined)) continue;
    const names = left.map(({ metadata, spec }) => `${metadata.name} on ${spec.nodeName ?? 'no node'}`).join(', ');
    session.tell({ kind: 'note', text: `${names} should have ended by now: its node does not say so` });
    return undefined;
  }
}

/** How long after its grace period a pod's end may be told. */
const LATE_S = 60;

/**
 * While a canary takes requests from stable, stable's autoscaler sees less load and would take its pods: then the weights are off, and
 * stable is too small when the canary goes. So it may not go below what stable has.
 * @param least pods of stable; 0 lets the autoscaler decide again
 */
async function holdStable(session: Session, least: number): Promise<void> {
  const { kube, journal, release, options } = session;
  const stable = release.state === 'backing-out' ? releaseBefore(journal, release) : stableRelease(journal);
  if (!stable) return;
  const plan = session.planOf(stable);
  const { min, max } = plan.deploy.replicas;
  const held = await holdAutoscaler(kube, plan, Math.min(max, Math.max(min, least)), {
    force: options.forceConflicts === true,
  });
  if (!held && least > 0)
    session.tell({
      kind: 'note',
      text: "stable's autoscaler is not as inlay made it, so it is left alone: it may take pods while the canary serves",
    });
}

/** The replicas of a new stable: not fewer than the old one has while a canary is beside it. */
async function heldReplicas(session: Session, { deploy }: ServicePlan): Promise<ServicePlan['deploy']['replicas']> {
  const { stable, canary } = await session.observe(undefined);
  const { initial, min, max } = deploy.replicas;
  const now = canary.deployment ? (stable.deployment?.spec.replicas ?? 0) : 0;
  return { initial, min: Math.min(max, Math.max(min, now)), max };
}

function now(): string {
  return new Date().toISOString();
}
