import type { V1Deployment, V1PodSpec } from '@kubernetes/client-node';
import { type Role, workloadName } from '../names.ts';
import type { ServicePlan } from '../service.ts';
import { deploymentAnnotations, podAnnotations } from './annotations.ts';
import { CONTAINER, containerOf, TMP } from './container.ts';
import { roleLabels, selectorOf } from './labels.ts';
import { lifecycleOf } from './lifecycle.ts';
import { defined, type Manifest } from './object.ts';
import { startBudgetS } from './probes.ts';

/** What a node may take to pull an image, seconds; Kubernetes' own default for a whole rollout. */
const PULL_S = 600;

/**
 * The Deployment of a role with the plan's image. It has no `replicas`: they are the autoscaler's, and what applies this again
 * must not set them back. `replicasPatch` says with how many pods it starts.
 */
export function deploymentOf(plan: ServicePlan, role: Role): Manifest<V1Deployment> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: workloadName(plan.service, role),
      namespace: plan.namespace,
      labels: roleLabels(plan, role),
      annotations: deploymentAnnotations(plan),
    },
    spec: {
      selector: { matchLabels: selectorOf(plan.service, role) },
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: PULL_S + startBudgetS(plan.image.contract),
      // A new pod is Ready before an old one goes.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
      template: {
        metadata: {
          labels: roleLabels(plan, role),
          annotations: { ...podAnnotations(plan), 'kubectl.kubernetes.io/default-container': CONTAINER },
        },
        spec: podSpec(plan, role),
      },
    },
  };
}

/** How many pods a role's Deployment has, for a field manager of its own (REPLICAS_MANAGER), until the autoscaler takes over. */
export function replicasPatch(plan: ServicePlan, role: Role, replicas: number) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: workloadName(plan.service, role), namespace: plan.namespace },
    spec: { replicas },
  } as const;
}

function podSpec(plan: ServicePlan, role: Role): V1PodSpec {
  const { deploy, service } = plan;
  const alike = { matchLabels: selectorOf(service, role) };
  const spread = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: alike,
    // Pods of the new revision are spread by themselves, not around those that are about to go.
    matchLabelKeys: ['pod-template-hash'],
  });
  return {
    serviceAccountName: service,
    automountServiceAccountToken: false,
    // Without it, a Service called `grpc` in the namespace would set the server's GRPC_PORT.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: lifecycleOf(plan).graceS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: [spread('topology.kubernetes.io/zone'), spread('kubernetes.io/hostname')],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: alike } },
        ],
      },
    },
    containers: [containerOf(plan)],
    volumes: [{ name: TMP.name, emptyDir: { sizeLimit: TMP.sizeLimit } }],
    ...(deploy.imagePullSecrets.length > 0
      ? { imagePullSecrets: deploy.imagePullSecrets.map((name) => ({ name })) }
      : {}),
    ...(Object.keys(deploy.nodeSelector).length > 0 ? { nodeSelector: { ...deploy.nodeSelector } } : {}),
    ...(deploy.tolerations.length > 0 ? { tolerations: deploy.tolerations.map(defined) } : {}),
    ...(deploy.priorityClassName === undefined ? {} : { priorityClassName: deploy.priorityClassName }),
  };
}
