import { type Deploy, judgeMetric, withDefaults } from '../../contract/index.ts';
import { isInlayError } from '../../error/index.ts';
import { type Journal, stableRelease } from '../journal/index.ts';
import { type ApiObject, type Kube, pathOf, RESOURCES, resourceOf } from '../kube/index.ts';
import { autoscalerOf, deploymentOf, manifestsOf } from '../manifests/index.ts';
import { FIELD_MANAGER, workloadName } from '../names.ts';
import { anyObjectSchema, nodeSchema, quotaSchema } from '../observe/index.ts';
import type { ReleaseContract, ServicePlan } from '../service.ts';
import { namespaceIsThere, sharedOf } from './apply.ts';
import { keepFromGitOps } from './keep-from-gitops.ts';
import { type FieldChange, objectDiff } from './object-diff.ts';
import { quotaShortage } from './quota.ts';

/** What the preflight found. An error refuses the release; the rest is told. */
export interface PreflightFinding {
  readonly check: 'architecture' | 'contract' | 'metrics' | 'quota' | 'cluster' | 'signature';
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** An object that a release would make or change. */
export interface ObjectChange {
  readonly object: string;
  /** Undefined: it would be made. */
  readonly changes: readonly FieldChange[] | undefined;
}

export interface Preflight {
  readonly findings: readonly PreflightFinding[];
  readonly changes: readonly ObjectChange[];
  /** `direct`: the image is stable already, and takes another `deploy:` or what somebody took away. */
  readonly kind: 'first' | 'canary' | 'direct' | 'unchanged';
}

export interface PreflightOptions {
  readonly kube: Kube;
  readonly plan: ServicePlan;
  readonly journal: Journal;
  readonly allowBreaking?: boolean | undefined;
  readonly forceConflicts?: boolean | undefined;
  /** What a client of the one would notice of the other. */
  readonly breaking: (from: ReleaseContract, to: ReleaseContract) => readonly string[];
}

/** Looks at all that can be known before anything is changed; changes nothing. */
export async function preflight(options: PreflightOptions): Promise<Preflight> {
  const { kube, plan, journal } = options;
  const stable = stableRelease(journal);
  const [architecture, quota, dryRun] = await Promise.all([
    checkArchitecture(kube, plan),
    checkQuota(kube, plan, stable !== undefined),
    checkDryRun(options),
  ]);
  const findings = [
    ...checkContract(options, stable?.image.contract),
    ...checkMetrics(plan.deploy, plan.image.contract, stable?.image.contract),
    ...architecture,
    ...quota,
    ...dryRun.findings,
  ];
  const again = dryRun.changes.length + dryRun.findings.length === 0 ? 'unchanged' : 'direct';
  const kind = !stable ? 'first' : stable.image.digest === plan.image.digest ? again : 'canary';
  return { findings, changes: dryRun.changes, kind };
}

function checkContract(
  { plan, breaking, allowBreaking }: PreflightOptions,
  stable: ReleaseContract | undefined,
): PreflightFinding[] {
  if (!stable) return [];
  const broken = breaking(stable, plan.image.contract);
  if (broken.length === 0) return [];
  return [
    {
      check: 'contract',
      severity: allowBreaking ? 'warning' : 'error',
      message: `clients of ${stable.version} would break: ${broken.join('; ')}`,
      hint: 'Release it under another name, or accept it with --allow-breaking.',
    },
  ];
}

function checkMetrics(
  { require }: Deploy,
  contract: ReleaseContract,
  stable: ReleaseContract | undefined,
): PreflightFinding[] {
  return require.flatMap((rule): PreflightFinding[] => {
    const { outcome, value, limit } = judgeMetric(rule, contract.metrics, stable?.metrics);
    if (outcome === 'met') return [];
    // The first release has nothing to stand beside.
    if (outcome === 'unknown' && rule.besideStable && !stable && value !== undefined) return [];
    const asked = `${rule.metric} ${rule.operator} ${limit === undefined ? 'what stable has' : limit}`;
    return [
      {
        check: 'metrics',
        severity: 'error',
        message:
          outcome === 'missed'
            ? `${asked} is required, and training measured ${value}`
            : `${asked} is required, and ${value === undefined ? 'the model' : 'stable'} does not say its ${rule.metric}`,
        hint: 'Train a better model, or change deploy.require.',
      },
    ];
  });
}

async function checkArchitecture(kube: Kube, { image, deploy }: ServicePlan): Promise<PreflightFinding[]> {
  const labels = Object.entries(deploy.nodeSelector).map(([key, value]) => `${key}=${value}`);
  let nodes: readonly string[];
  try {
    const found = await kube.list(nodeSchema, RESOURCES.node, labels.length > 0 ? { labels: labels.join(',') } : {});
    nodes = found.map(({ status }) => `${status.nodeInfo.operatingSystem}/${status.nodeInfo.architecture}`);
  } catch (error) {
    // Nodes are the cluster's: not everyone may read them.
    if (isInlayError(error) && error.code === 'CLUSTER_FORBIDDEN')
      return [
        {
          check: 'architecture',
          severity: 'info',
          message: "the nodes' architectures are not known: this login may not list nodes",
        },
      ];
    throw error;
  }
  if (nodes.length === 0 || image.platforms.length === 0) return [];
  const without = [...new Set(nodes)].filter((platform) => !image.platforms.includes(platform));
  if (without.length === 0) return [];
  const none = nodes.every((platform) => without.includes(platform));
  return [
    {
      check: 'architecture',
      severity: none ? 'error' : 'warning',
      message: `nodes are ${without.join(', ')}, and the image is for ${image.platforms.join(', ')}${none ? '' : ': pods that land there cannot start'}`,
      hint: `Build it for them too: inlay build --platform ${[...new Set([...image.platforms, ...without])].join(',')}${none ? '' : ', or keep to the others with deploy.nodeSelector: {kubernetes.io/arch: …}'}.`,
    },
  ];
}

async function checkQuota(kube: Kube, plan: ServicePlan, beside: boolean): Promise<PreflightFinding[]> {
  try {
    const quotas = await kube.list(quotaSchema, RESOURCES.resourceQuota, { namespace: plan.namespace });
    // A first release makes all its pods; a later one at least a canary beside stable.
    const pods = beside ? 1 : plan.deploy.replicas.initial;
    return quotas.flatMap((quota) =>
      quotaShortage(quota, plan, pods).map((shortage) => ({
        check: 'quota' as const,
        severity: 'error' as const,
        message: `ResourceQuota ${quota.metadata.name} has no room for ${pods} pods more: ${shortage}`,
        hint: 'Ask for more, or for fewer or smaller replicas.',
      })),
    );
  } catch (error) {
    if (isInlayError(error) && error.code === 'CLUSTER_FORBIDDEN') return [];
    throw error;
  }
}

async function checkDryRun({ kube, plan, journal, forceConflicts }: PreflightOptions) {
  const findings: PreflightFinding[] = [];
  const changes: ObjectChange[] = [];
  const stable = stableRelease(journal);
  // What is applied first: all of a first release; a later one's canary, which has no object yet, and what is shared.
  const beside = stable !== undefined && stable.image.digest !== plan.image.digest;
  const workloads = beside
    ? [deploymentOf(plan, 'canary')]
    : manifestsOf(plan).filter(
        ({ kind }) => kind === 'Deployment' || kind === 'HorizontalPodAutoscaler' || kind === 'HTTPRoute',
      );
  const objects: readonly ApiObject[] = [...(await sharedOf(kube, plan)), ...workloads];
  if (!(await namespaceIsThere(kube, plan.namespace))) {
    // Nothing inside can be asked of the server before there is an outside.
    return { findings, changes: objects.map((object) => ({ object: nameOf(object), changes: undefined })) };
  }
  const dryRun = async (object: ApiObject): Promise<unknown> => {
    try {
      return await kube.apply(keepFromGitOps(object), {
        ...{ manager: FIELD_MANAGER, dryRun: true, force: forceConflicts === true },
      });
    } catch (error) {
      if (!isInlayError(error) || error.code === 'INTERRUPTED' || error.code === 'CLUSTER_UNREACHABLE') throw error;
      findings.push({ check: 'cluster', severity: 'error', message: error.message, hint: error.hint });
      return undefined;
    }
  };
  for (const object of objects) {
    const { name, namespace } = object.metadata;
    const live = await kube.find(anyObjectSchema, resourceOf(object), name, namespace);
    const then = await dryRun(object);
    if (then === undefined) continue;
    if (!live) changes.push({ object: nameOf(object), changes: undefined });
    else {
      const differ = objectDiff(await raw(kube, object), then);
      if (differ.length > 0) changes.push({ object: nameOf(object), changes: differ });
    }
  }
  // What the promotion will apply: who manages fields of it is told now, not after the canary.
  if (beside)
    for (const object of [deploymentOf(plan, 'stable'), autoscalerOf(plan, 'stable', plan.deploy.replicas)])
      await dryRun(object);
  if (beside && findings.length === 0) imageChange(plan, stable, changes);
  return { findings, changes };
}

/** What a promotion will do to stable, in the one line that matters. */
function imageChange(
  plan: ServicePlan,
  stable: NonNullable<ReturnType<typeof stableRelease>>,
  changes: ObjectChange[],
) {
  const before = withDefaults(stable.deploy, stable.environment);
  changes.push({
    object: `Deployment ${plan.namespace}/${workloadName(plan.service, 'stable')}, when promoted`,
    // Labels and annotations say the image again.
    changes: objectDiff(
      deploymentOf({ ...plan, image: stable.image, deploy: before }, 'stable').spec,
      deploymentOf(plan, 'stable').spec,
      'spec',
    ).filter(({ path }) => !path.startsWith('spec.template.metadata')),
  });
}

async function raw(kube: Kube, object: ApiObject): Promise<unknown> {
  const { name, namespace } = object.metadata;
  return kube.json({ step: `reading ${nameOf(object)}`, path: pathOf(resourceOf(object), namespace, name) });
}

function nameOf({ kind, metadata }: ApiObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}
