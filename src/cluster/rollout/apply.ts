import { isInlayError } from '../../error/index.ts';
import { type ApiObject, isConflict, type Kube, RESOURCES, resourceOf } from '../kube/index.ts';
import {
  autoscalerOf,
  deploymentOf,
  isOurs,
  manifestsOf,
  replicasPatch,
  routeOf,
  sharedObjects,
  unwantedObjects,
  type Weights,
} from '../manifests/index.ts';
import { FIELD_MANAGER, REPLICAS_MANAGER, type Role, workloadName } from '../names.ts';
import { anyObjectSchema, autoscalerSchema, deploymentSchema, hasField } from '../observe/index.ts';
import type { ServicePlan } from '../service.ts';
import { keepFromGitOps } from './keep-from-gitops.ts';

export interface ApplyOptions {
  readonly force: boolean;
}

/** Everything of a service but its workloads and route; applying it again changes nothing. */
export async function applyShared(kube: Kube, plan: ServicePlan, { force }: ApplyOptions): Promise<void> {
  for (const object of await sharedOf(kube, plan))
    await kube.apply(keepFromGitOps(object), { manager: FIELD_MANAGER, force });
  for (const { apiVersion, kind, metadata } of unwantedObjects(plan)) {
    const resource = resourceOf({ apiVersion, kind });
    const found = await kube.find(anyObjectSchema, resource, metadata.name, metadata.namespace);
    // Somebody may have made an Ingress of that name by hand.
    if (found && isOurs(found.metadata.labels)) await kube.delete(resource, metadata.name, metadata.namespace);
  }
}

/** What is applied before a workload. A Namespace that is there is left as its owner made it. */
export async function sharedOf(kube: Kube, plan: ServicePlan): Promise<ApiObject[]> {
  const there = await namespaceIsThere(kube, plan.namespace);
  return manifestsOf(plan, { namespaceObject: !there }).filter(
    ({ kind }) => kind !== 'Deployment' && kind !== 'HorizontalPodAutoscaler' && kind !== 'HTTPRoute',
  );
}

/** Who may not read Namespaces works in one that somebody made. */
export async function namespaceIsThere(kube: Kube, namespace: string): Promise<boolean> {
  try {
    return (await kube.find(anyObjectSchema, RESOURCES.namespace, namespace)) !== undefined;
  } catch (error) {
    if (isInlayError(error) && error.code === 'CLUSTER_FORBIDDEN') return true;
    throw error;
  }
}

/**
 * The Deployment and autoscaler of a role.
 * @param size how many pods there are at least and at most; `initial` where the Deployment is new, or `set`
 */
export async function applyWorkload(
  kube: Kube,
  plan: ServicePlan,
  role: Role,
  size: { readonly initial: number; readonly min: number; readonly max: number; readonly set?: boolean },
  { force }: ApplyOptions,
): Promise<void> {
  const name = workloadName(plan.service, role);
  const before = await kube.find(deploymentSchema, RESOURCES.deployment, name, plan.namespace);
  await kube.apply(keepFromGitOps(deploymentOf(plan, role)), { manager: FIELD_MANAGER, force });
  // Nobody has said how many: a program that had just made it died.
  const unsaid = !before || !hasField(before.metadata.managedFields, 'spec.replicas');
  if (unsaid || (size.set && before.spec.replicas !== size.initial))
    await kube.apply(replicasPatch(plan, role, size.initial), { manager: REPLICAS_MANAGER, force: true });
  await kube.apply(keepFromGitOps(autoscalerOf(plan, role, size)), { manager: FIELD_MANAGER, force });
}

/**
 * Changes the least replicas that the stable autoscaler goes down to.
 * @returns false where another hand made that autoscaler what it is
 */
export async function holdAutoscaler(
  kube: Kube,
  plan: ServicePlan,
  min: number,
  { force }: ApplyOptions,
): Promise<boolean> {
  const { max } = plan.deploy.replicas;
  const found = await kube.find(
    autoscalerSchema,
    RESOURCES.autoscaler,
    workloadName(plan.service, 'stable'),
    plan.namespace,
  );
  if (!found || found.spec.maxReplicas !== max) return false;
  if (found.spec.minReplicas === min) return true;
  try {
    await kube.apply(autoscalerOf(plan, 'stable', { min, max }), { manager: FIELD_MANAGER, force });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/** Where a Gateway divides the traffic: in which shares. */
export async function applyRoute(
  kube: Kube,
  plan: ServicePlan,
  weights: Weights,
  { force }: ApplyOptions,
): Promise<void> {
  const route = routeOf(plan, weights);
  if (route) await kube.apply(keepFromGitOps(route), { manager: FIELD_MANAGER, force });
}

/** Takes a role away: its autoscaler first, which would else ask for a Deployment that is gone. */
export async function deleteWorkload(kube: Kube, namespace: string, service: string, role: Role): Promise<void> {
  const name = workloadName(service, role);
  await kube.delete(RESOURCES.autoscaler, name, namespace);
  await kube.delete(RESOURCES.deployment, name, namespace);
}

/** Takes away what a service's roles share, where no role is left; the Namespace stays. */
export async function deleteShared(kube: Kube, plan: ServicePlan): Promise<void> {
  const route = routeOf(plan, { stable: 100, canary: 0 });
  for (const object of [...sharedObjects(plan), ...(route ? [route] : [])].reverse())
    await kube.delete(resourceOf(object), object.metadata.name, plan.namespace);
}
