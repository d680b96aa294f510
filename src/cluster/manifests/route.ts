import { ROLES, type Role } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { sharedLabels } from './labels.ts';
import { defined, type KubeObject } from './object.ts';
import { HTTP_PORT } from './ports.ts';
import { roleServiceName } from './services.ts';

/** Shares of the requests; proportions, as the Gateway API takes them: 0 to 1000000 each. */
export type Weights = Readonly<Record<Role, number>>;

/** An HTTPRoute of the Gateway API (gateway.networking.k8s.io/v1), as far as inlay writes it. */
export interface HttpRoute extends KubeObject {
  readonly spec: {
    readonly parentRefs: readonly {
      readonly name: string;
      readonly namespace?: string;
      readonly sectionName?: string;
    }[];
    readonly hostnames?: readonly string[];
    readonly rules: readonly {
      readonly matches: readonly { readonly path: { readonly type: 'PathPrefix'; readonly value: string } }[];
      readonly backendRefs: readonly { readonly name: string; readonly port: number; readonly weight: number }[];
    }[];
  };
}

/** The route whose weights divide the requests; undefined where `deploy.gateway` is not set. */
export function routeOf(plan: ServicePlan, weights: Weights): HttpRoute | undefined {
  const { gateway } = plan.deploy;
  if (gateway === undefined) return undefined;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      name: plan.service,
      namespace: plan.namespace,
      labels: sharedLabels(plan),
      annotations: commonAnnotations(plan),
    },
    spec: {
      parentRefs: gateway.parents.map(defined),
      ...(gateway.hostnames.length > 0 ? { hostnames: gateway.hostnames } : {}),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: ROLES.map((role) => ({
            name: roleServiceName(plan.service, role),
            port: HTTP_PORT,
            weight: weights[role],
          })),
        },
      ],
    },
  };
}
