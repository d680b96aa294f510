import type { Role } from '../names.ts';
import { type Deployment, isReady, progressOf, type Workload } from '../observe/index.ts';
import type { ReleaseImage } from '../service.ts';
import type { Session, Workloads } from './session.ts';
import { StepFailed } from './step-failed.ts';
import { failedBy, type Place, TroubleWatch } from './trouble-watch.ts';

/** Past the Deployment's own deadline; one that the controller never looks at is not waited for forever. */
const MOST_MS = 3_600_000;
/** A Deployment whose last rollout was late says so for a moment after it was changed. */
const STALE_MS = 5000;

/**
 * Waits until a role's Deployment has rolled out, its image in all its pods and all ready.
 * @throws StepFailed with the likely cause when it will not
 */
export async function waitReady(
  session: Place & Pick<Session, 'observe' | 'tick'>,
  role: Role,
  { reference }: Pick<ReleaseImage, 'reference'>,
  heedRequests: boolean,
): Promise<Workloads> {
  const begun = performance.now();
  const watch = new TroubleWatch(session, reference);
  let workloads = await session.observe(undefined);
  for (;;) {
    const { pods } = workloads[role];
    const deployment = deploymentIn(workloads[role]);
    const progress = progressOf(deployment);
    if (progress.done && pods.filter(isReady).length >= deployment.spec.replicas) return workloads;
    const [trouble] = await watch.look(workloads[role]);
    const waitedMs = performance.now() - begun;
    if ((waitedMs > STALE_MS && isLate(deployment)) || waitedMs > MOST_MS) {
      if (trouble) throw await failedBy(session, trouble);
      throw new StepFailed(`${role} was not ready in time: ${progress.text}`, {
        hint: 'inlay logs shows what its pods say.',
      });
    }
    workloads = await session.tick((now) => {
      const { done, text } = progressOf(deploymentIn(now[role]));
      if (done) return undefined;
      return trouble ? `${text}; ${trouble.object}: ${trouble.message}` : text;
    }, heedRequests);
  }
}

function isLate({ metadata, status }: Deployment): boolean {
  if ((metadata.generation ?? 0) > status.observedGeneration) return false;
  return status.conditions.some(
    ({ type, status, reason }) => type === 'Progressing' && status === 'False' && reason === 'ProgressDeadlineExceeded',
  );
}

/** @throws StepFailed where somebody has deleted it: what he wanted is not to wait for it, nor to see it again */
export function deploymentIn({ deployment, role }: Workload): Deployment {
  if (deployment) return deployment;
  throw new StepFailed(`the Deployment of ${role} is gone: somebody has deleted it`, {
    hint: 'To end a canary: inlay abort.',
  });
}
