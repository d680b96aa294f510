import type { V1Namespace, V1PodDisruptionBudget, V1ServiceAccount } from '@kubernetes/client-node';
import { SERVICE_LABEL } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { ingressOf } from './ingress.ts';
import { sharedLabels } from './labels.ts';
import { networkPolicyOf } from './network-policy.ts';
import type { KubeObject, Manifest } from './object.ts';
import { roleServices, serviceOf } from './services.ts';

/** The namespace, which admits restricted pods alone (Pod Security Standards). */
export function namespaceOf({ namespace }: Pick<ServicePlan, 'namespace'>): Manifest<V1Namespace> {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/audit': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
    },
  };
}

/**
 * What stable and canary share, in the order in which it is applied: all but the Namespace and the HTTPRoute. Nothing in it
 * says which version runs.
 */
export function sharedObjects(plan: ServicePlan): KubeObject[] {
  const { networkPolicy, ingress, gateway } = plan.deploy;
  return [
    serviceAccountOf(plan),
    ...(networkPolicy ? [networkPolicyOf(plan, networkPolicy.from)] : []),
    disruptionBudgetOf(plan),
    serviceOf(plan),
    ...(gateway ? roleServices(plan) : []),
    ...(ingress ? [ingressOf(plan, ingress)] : []),
  ];
}

function metadata(plan: ServicePlan) {
  return {
    name: plan.service,
    namespace: plan.namespace,
    labels: sharedLabels(plan),
    annotations: commonAnnotations(plan),
  };
}

/** An identity of its own, which can do nothing. */
function serviceAccountOf(plan: ServicePlan): Manifest<V1ServiceAccount> {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(plan), automountServiceAccountToken: false };
}

/** One pod at a time leaves a node that is drained, of stable and canary together; one that is not healthy never holds it up. */
function disruptionBudgetOf(plan: ServicePlan): Manifest<V1PodDisruptionBudget> {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(plan),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { [SERVICE_LABEL]: plan.service } },
    },
  };
}
