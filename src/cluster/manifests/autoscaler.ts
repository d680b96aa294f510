import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import { type Role, workloadName } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { commonAnnotations } from './annotations.ts';
import { roleLabels } from './labels.ts';
import type { Manifest } from './object.ts';

/** The autoscaler of a role. How quickly it acts is the cluster's own: 15 s up, 5 min down where nobody changed it. */
export function autoscalerOf(
  plan: ServicePlan,
  role: Role,
  { min, max }: { readonly min: number; readonly max: number },
): Manifest<V2HorizontalPodAutoscaler> {
  const name = workloadName(plan.service, role);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name,
      namespace: plan.namespace,
      labels: roleLabels(plan, role),
      annotations: commonAnnotations(plan),
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: plan.deploy.targetCpu } },
        },
      ],
    },
  };
}
