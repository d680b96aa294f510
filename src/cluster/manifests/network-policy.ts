import type { V1LabelSelector, V1NetworkPolicyPort } from '@kubernetes/client-node';
import type { NetworkPeer } from '../../contract/index.ts';
import { SERVICE_LABEL } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { sharedLabels } from './labels.ts';
import { defined, type KubeObject } from './object.ts';
import { portsOf } from './ports.ts';

/** A NetworkPolicy as it is on the wire. */
export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly podSelector: V1LabelSelector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress: readonly { readonly ports: V1NetworkPolicyPort[]; readonly from?: readonly NetworkPeer[] }[];
  };
}

/** Who may connect, and to what: the server's ports alone. A model server calls nobody, so nothing may go out. */
export function networkPolicyOf(plan: ServicePlan, from: readonly NetworkPeer[]): NetworkPolicy {
  const ports = portsOf(plan).map(({ port }) => ({ port, protocol: 'TCP' }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: plan.service,
      namespace: plan.namespace,
      labels: sharedLabels(plan),
      annotations: commonAnnotations(plan),
    },
    spec: {
      podSelector: { matchLabels: { [SERVICE_LABEL]: plan.service } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports, ...(from.length > 0 ? { from: from.map(defined) } : {}) }],
      // No egress at all allows none. An empty list says the same, but the API server does not keep it: whoever applies it next to
      // another tool is told of a conflict.
    },
  };
}
