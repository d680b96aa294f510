import type { V1Service } from '@kubernetes/client-node';
import { ROLES, type Role, SERVICE_LABEL } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { selectorOf, sharedLabels } from './labels.ts';
import type { Manifest } from './object.ts';
import { servicePorts } from './ports.ts';

/** The Service that clients know: the pods of both roles. */
export function serviceOf(plan: ServicePlan): Manifest<V1Service> {
  return service(plan, plan.service, { [SERVICE_LABEL]: plan.service });
}

/** A Service for each role, which an HTTPRoute can weigh. */
export function roleServices(plan: ServicePlan): Manifest<V1Service>[] {
  return ROLES.map((role) => {
    const made = service(plan, roleServiceName(plan.service, role), selectorOf(plan.service, role));
    if (role === 'stable') return made;
    // Between releases there is no canary; the route gives its Service no weight then.
    const annotations = { ...made.metadata.annotations, 'kube-score/ignore': 'service-targets-pod' };
    return { ...made, metadata: { ...made.metadata, annotations } };
  });
}

/** `iris-stable`, `iris-canary` */
export function roleServiceName(name: string, role: Role): string {
  return `${name}-${role}`;
}

function service(plan: ServicePlan, name: string, selector: Readonly<Record<string, string>>): Manifest<V1Service> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: plan.namespace,
      labels: { ...sharedLabels(plan), 'app.kubernetes.io/instance': name },
      annotations: commonAnnotations(plan),
    },
    spec: { type: 'ClusterIP', selector: { ...selector }, ports: servicePorts(plan) },
  };
}
