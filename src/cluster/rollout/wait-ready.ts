import type { Role } from '../names.ts';
import { isReady, observeTrouble, podLog, progressOf, type Trouble } from '../observe/index.ts';
import type { Session, Workloads } from './session.ts';
import { StepFailed } from './step-failed.ts';

/** Past the Deployment's own deadline; one that the controller never looks at is not waited for forever. */
const MOST_MS = 3_600_000;

/**
 * Waits until a role's Deployment has rolled out, its image in all its pods and all ready.
 * @throws StepFailed with the likely cause when it will not
 */
export async function waitReady(session: Session, role: Role, heedRequests: boolean): Promise<Workloads> {
  const { kube, options } = session;
  const until = performance.now() + MOST_MS;
  /** When each trouble was seen first. */
  const since = new Map<string, number>();
  let workloads = await session.observe(undefined);
  for (;;) {
    const { deployment, pods } = workloads[role];
    const progress = deployment ? progressOf(deployment) : { done: false, text: 'the Deployment is gone' };
    if (progress.done && pods.filter(isReady).length >= (deployment?.spec.replicas ?? 1)) return workloads;
    const troubles = await observeTrouble(kube, options.namespace, workloads[role]);
    for (const key of since.keys()) if (!troubles.some((trouble) => keyOf(trouble) === key)) since.delete(key);
    for (const trouble of troubles) {
      const first = since.get(keyOf(trouble)) ?? performance.now();
      since.set(keyOf(trouble), first);
      if (performance.now() - first >= trouble.patienceMs) throw await failed(session, trouble);
    }
    const late = deployment?.status.conditions.find(
      ({ type, status, reason }) =>
        type === 'Progressing' && status === 'False' && reason === 'ProgressDeadlineExceeded',
    );
    if (late || performance.now() > until) {
      const [trouble] = troubles;
      if (trouble) throw await failed(session, trouble);
      throw new StepFailed(`${role} was not ready in time: ${progress.text}`, {
        hint: 'inlay logs shows what its pods say.',
      });
    }
    const [trouble] = troubles;
    workloads = await session.tick(trouble ? `${trouble.object}: ${trouble.message}` : progress.text, heedRequests);
  }
}

/** Crash and OOM go in turns as the kubelet backs off: it is the pod that has trouble. */
function keyOf({ object, cause }: Trouble): string {
  return `${object} ${cause}`;
}

async function failed(session: Session, trouble: Trouble): Promise<StepFailed> {
  const said = trouble.cause === 'CRASH' ? await lastWords(session, trouble.object.replace('Pod ', '')) : undefined;
  return new StepFailed(`${trouble.cause} ${trouble.object}: ${trouble.message}${said ? `: ${said}` : ''}`, {
    hint: trouble.hint,
  });
}

/** The last line that says what was wrong, of the container that ended. */
async function lastWords({ kube, options }: Session, pod: string): Promise<string | undefined> {
  for (const previous of [true, false]) {
    try {
      const lines = (await podLog(kube, options.namespace, pod, { tailLines: 20, previous })).trim().split('\n');
      const told = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
      if (told) return told.slice(0, 500);
    } catch {
      // There is no earlier container, or its log is gone.
    }
  }
  return undefined;
}
