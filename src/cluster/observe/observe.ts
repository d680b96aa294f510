import { type Kube, RESOURCES } from '../kube/index.ts';
import { ROLE_LABEL, type Role, SERVICE_LABEL, workloadName } from '../names.ts';
import { type Deployment, deploymentSchema, eventSchema, type Pod, podSchema } from './objects.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** One role of a service, as the cluster has it now. */
export interface Workload {
  readonly role: Role;
  readonly deployment: Deployment | undefined;
  readonly pods: readonly Pod[];
}

/** Both roles, by two requests. */
export async function observeService(
  kube: Kube,
  namespace: string,
  service: string,
): Promise<Readonly<Record<Role, Workload>>> {
  const labels = `${SERVICE_LABEL}=${service},${ROLE_LABEL}`;
  const [deployments, pods] = await Promise.all([
    kube.list(deploymentSchema, RESOURCES.deployment, { namespace, labels }),
    kube.list(podSchema, RESOURCES.pod, { namespace, labels }),
  ]);
  const of = (role: Role): Workload => ({
    role,
    deployment: deployments.find(({ metadata }) => metadata.name === workloadName(service, role)),
    pods: pods.filter(({ metadata }) => metadata.labels[ROLE_LABEL] === role),
  });
  return { stable: of('stable'), canary: of('canary') };
}

/** What keeps a role's pods from serving; asks for events only where a pod waits. */
export async function observeTrouble(
  kube: Kube,
  namespace: string,
  workload: Pick<Workload, 'deployment' | 'pods'>,
): Promise<Trouble[]> {
  const first = troubleOf(workload.pods, workload.deployment, []);
  const waits = workload.pods.some(({ status }) =>
    status.conditions.some((c) => c.type === 'Ready' && c.status === 'False'),
  );
  if (first.length === 0 && !waits) return [];
  const names = new Set(workload.pods.map(({ metadata }) => metadata.name));
  const events = await kube.list(eventSchema, RESOURCES.event, { namespace, fields: 'involvedObject.kind=Pod' });
  return troubleOf(
    workload.pods,
    workload.deployment,
    events
      .filter(({ involvedObject }) => names.has(involvedObject.name))
      .sort((a, b) => (a.lastTimestamp ?? a.eventTime ?? '').localeCompare(b.lastTimestamp ?? b.eventTime ?? '')),
  );
}
