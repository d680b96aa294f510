import type { Role } from '../names.ts';
import { isReady, type Progress, progressOf, type Workload } from '../observe/index.ts';
import type { ReleaseImage } from '../service.ts';
import type { Session, Workloads } from './session.ts';
import { StepFailed } from './step-failed.ts';
import { failedBy, TroubleWatch } from './trouble-watch.ts';

/** Past the Deployment's own deadline; one that the controller never looks at is not waited for forever. */
const MOST_MS = 3_600_000;

/**
 * Waits until a role's Deployment has rolled out, its image in all its pods and all ready.
 * @throws StepFailed with the likely cause when it will not
 */
export async function waitReady(
  session: Session,
  role: Role,
  { reference }: Pick<ReleaseImage, 'reference'>,
  heedRequests: boolean,
): Promise<Workloads> {
  const until = performance.now() + MOST_MS;
  const watch = new TroubleWatch(session, reference);
  let workloads = await session.observe(undefined);
  for (;;) {
    const { deployment, pods } = workloads[role];
    const progress = progressIn(workloads[role]);
    if (progress.done && pods.filter(isReady).length >= (deployment?.spec.replicas ?? 1)) return workloads;
    const [trouble] = await watch.look(workloads[role]);
    const late = deployment?.status.conditions.find(
      ({ type, status, reason }) =>
        type === 'Progressing' && status === 'False' && reason === 'ProgressDeadlineExceeded',
    );
    if (late || performance.now() > until) {
      if (trouble) throw await failedBy(session, trouble);
      throw new StepFailed(`${role} was not ready in time: ${progress.text}`, {
        hint: 'inlay logs shows what its pods say.',
      });
    }
    workloads = await session.tick((now) => {
      const { done, text } = progressIn(now[role]);
      if (done) return undefined;
      return trouble ? `${text}; ${trouble.object}: ${trouble.message}` : text;
    }, heedRequests);
  }
}

function progressIn({ deployment }: Workload): Progress {
  return deployment ? progressOf(deployment) : { done: false, text: 'the Deployment is gone' };
}
