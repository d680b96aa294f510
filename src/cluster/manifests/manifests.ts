import type { ServicePlan } from '../service.ts';
import { autoscalerOf } from './autoscaler.ts';
import { deploymentOf } from './deployment.ts';
import type { KubeObject } from './object.ts';
import { routeOf } from './route.ts';
import { namespaceOf, sharedObjects } from './shared.ts';

export interface ManifestsOptions {
  /** False: the Namespace is somebody else's, and is left out. */
  readonly namespaceObject?: boolean | undefined;
}

/** Every cluster has it, and others live in it: it is not inlay's to restrict. */
const DEFAULT_NAMESPACE = 'default';

/** All objects of a service's first release, in the order in which they are applied. */
export function manifestsOf(plan: ServicePlan, options: ManifestsOptions = {}): KubeObject[] {
  const route = routeOf(plan, { stable: 100, canary: 0 });
  return [
    ...(options.namespaceObject === false || plan.namespace === DEFAULT_NAMESPACE ? [] : [namespaceOf(plan)]),
    ...sharedObjects(plan),
    deploymentOf(plan, 'stable'),
    autoscalerOf(plan, 'stable', plan.deploy.replicas),
    ...(route ? [route] : []),
  ];
}

/** An object by name, to be deleted. */
export type ObjectName = Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly namespace: string };
};

/**
 * What an earlier release may have had and this one has not, so that a changed `deploy:` leaves nothing behind. Names alone: what
 * has one of them and is not inlay's (`isOurs`) is left alone.
 */
export function unwantedObjects(plan: ServicePlan): ObjectName[] {
  const { gateway, ingress, networkPolicy } = plan.deploy;
  const every: ServicePlan = {
    ...plan,
    deploy: {
      ...plan.deploy,
      gateway: gateway ?? { parents: [], hostnames: [] },
      ingress: ingress ?? { host: '', className: undefined, tlsSecret: undefined, annotations: {} },
      networkPolicy: networkPolicy ?? { from: [] },
    },
  };
  const wanted = new Set(manifestsOf(plan).map(identity));
  return manifestsOf(every)
    .filter((object) => !wanted.has(identity(object)))
    .map(({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      metadata: { name: metadata.name, namespace: plan.namespace },
    }));
}

function identity({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
