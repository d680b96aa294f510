import type { V1Job } from '@kubernetes/client-node';
import { releaseJobOf } from '../detach/index.ts';
import {
  autoscalerOf,
  deploymentOf,
  type KubeObject,
  type Manifest,
  manifestsOf,
  routeOf,
} from '../manifests/index.ts';
import { PREFIX } from '../names.ts';
import { formatDuration } from '../rollout/index.ts';
import type { ServicePlan } from '../service.ts';
import { canaryReplicas } from '../verdict/index.ts';

export interface StepFolder {
  /** `1-canary-20`, `3-promote`: in the order in which they are to be committed. */
  readonly name: string;
  readonly objects: readonly KubeObject[];
}

export interface StepFoldersOptions {
  readonly plan: ServicePlan;
  /** What is stable now; undefined for a first release. */
  readonly stable: ServicePlan | undefined;
  /** inlay's own image by digest: each canary step then has a Job that judges it. */
  readonly cliImage?: string | undefined;
}

/**
 * A release as states for Git: each folder is all of a service, to be put where a GitOps tool looks, one after the other. A canary is a
 * share of pods, so its autoscaler's least number says the weight; with a Gateway the HTTPRoute says it.
 */
export function stepFolders({ plan, stable, cliImage }: StepFoldersOptions): StepFolder[] {
  const promoted: StepFolder = {
    name: stable ? `${plan.deploy.canary.steps.length + 1}-promote` : '1-stable',
    objects: manifestsOf(plan),
  };
  if (!stable) return [promoted];
  const { min, max } = plan.deploy.replicas;
  const canaries = plan.deploy.canary.steps.map((asked, i): StepFolder => {
    const { replicas } = canaryReplicas({ stableReplicas: stable.deploy.replicas.min, weightPercent: asked, max });
    const route = routeOf(plan, { stable: 100 - asked, canary: asked });
    // What both roles share is the new plan's; stable's own Deployment and autoscaler are as they were.
    const shared = manifestsOf(plan).filter(
      ({ kind }) => kind !== 'Deployment' && kind !== 'HorizontalPodAutoscaler' && kind !== 'HTTPRoute',
    );
    return {
      name: `${i + 1}-canary-${asked}`,
      objects: [
        ...shared,
        deploymentOf(stable, 'stable'),
        autoscalerOf(stable, 'stable', { ...stable.deploy.replicas, min: Math.max(min, stable.deploy.replicas.min) }),
        deploymentOf(plan, 'canary'),
        autoscalerOf(plan, 'canary', { min: replicas, max: Math.max(replicas, Math.ceil((max * asked) / 100)) }),
        ...(route ? [route] : []),
        ...(cliImage === undefined ? [] : [verdictJob(plan, asked, cliImage)]),
      ],
    };
  });
  return [...canaries, promoted];
}

/** Judges the canary once a state is in place: Argo CD runs it as a hook after each sync, Flux waits for the Job. */
function verdictJob(plan: ServicePlan, asked: number, image: string): Manifest<V1Job> {
  const { service, namespace, deploy } = plan;
  const job = releaseJobOf({
    service,
    namespace,
    release: 0,
    image,
    imagePullSecrets: deploy.imagePullSecrets,
    actor: 'GitOps',
  });
  const template = job.spec?.template;
  const [container] = template?.spec?.containers ?? [];
  const { errorRate, p99Ratio, labelShift, memory } = deploy.canary.limits;
  const args = [
    'verdict',
    service,
    '--namespace',
    namespace,
    '--for',
    formatDuration(deploy.canary.intervalMs).replace(' ', '').replace('min', 'm'),
    ...[
      '--error-rate',
      String(errorRate),
      '--p99-ratio',
      String(p99Ratio),
      '--label-shift',
      String(labelShift),
      '--memory',
      String(memory),
    ],
    ...(deploy.canary.onInconclusive === 'pass' ? ['--accept-inconclusive'] : []),
  ];
  const { ttlSecondsAfterFinished, ...spec } = job.spec ?? { template: {} };
  const pod = template?.metadata;
  // It goes on with no release.
  const env = container?.env?.filter(({ name }) => name !== 'INLAY_RELEASE') ?? [];
  const judges = { [`${PREFIX}/judges`]: `${plan.image.reference} at ${asked} %` };
  return {
    ...job,
    metadata: {
      ...job.metadata,
      name: `${service}-verdict`,
      annotations: {
        'argocd.argoproj.io/hook': 'PostSync',
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        // A Job's template cannot be changed: Flux makes it anew.
        'kustomize.toolkit.fluxcd.io/force': 'enabled',
      },
    },
    // It stays when it has ended: taken away, a tool that sees it missing would have it judge again.
    spec: {
      ...spec,
      backoffLimit: 0,
      template: {
        // Unlike that of any other step: one that has ended would else be taken for the next step's.
        metadata: { ...pod, annotations: judges },
        spec: { ...template?.spec, containers: [{ ...container, name: 'inlay', env, args }] },
      },
    },
  };
}
