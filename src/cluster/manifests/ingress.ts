import type { V1Ingress } from '@kubernetes/client-node';
import type { Deploy } from '../../contract/index.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { sharedLabels } from './labels.ts';
import type { Manifest } from './object.ts';

/** Everything of a host to the service's HTTP port. */
export function ingressOf(plan: ServicePlan, ingress: NonNullable<Deploy['ingress']>): Manifest<V1Ingress> {
  const { host, className, tlsSecret } = ingress;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: plan.service,
      namespace: plan.namespace,
      labels: sharedLabels(plan),
      annotations: { ...commonAnnotations(plan), ...ingress.annotations },
    },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...(tlsSecret === undefined ? {} : { tls: [{ hosts: [host], secretName: tlsSecret }] }),
      rules: [
        {
          host,
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: plan.service, port: { name: 'http' } } } },
            ],
          },
        },
      ],
    },
  };
}
