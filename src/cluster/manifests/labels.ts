import { PREFIX, ROLE_LABEL, type Role, SERVICE_LABEL, workloadName } from '../names.ts';
import type { ServicePlan } from '../service.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Which pods a role's Deployment owns. It can never be changed, so it names the role from the first release on, and leaves out
 * `instance`, which GitOps tools may write themselves.
 */
export function selectorOf(service: string, role: Role): Labels {
  return { [SERVICE_LABEL]: service, [ROLE_LABEL]: role };
}

/** Labels of what stable and canary share: nothing of one version. */
export function sharedLabels(plan: ServicePlan): Labels {
  return labelsFor(plan, plan.service);
}

/** Labels of what belongs to one role: Deployment, pods, autoscaler. */
export function roleLabels(plan: ServicePlan, role: Role): Labels {
  const version = labelValue(plan.image.contract.version);
  return {
    ...labelsFor(plan, workloadName(plan.service, role)),
    ...(version === undefined ? {} : { 'app.kubernetes.io/version': version }),
    [ROLE_LABEL]: role,
  };
}

/** The labels that Kubernetes recommends; `instance` is the object's own name, as linters want it. */
function labelsFor(plan: ServicePlan, instance: string): Labels {
  const { deploy, service, image } = plan;
  const optional = { owner: image.contract.owner, environment: deploy.environment };
  return {
    ...deploy.labels,
    [SERVICE_LABEL]: service,
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/component': 'inference-server',
    [MANAGED_BY]: 'inlay',
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([key, text]) => {
        const value = text === undefined ? undefined : labelValue(text);
        return value === undefined ? [] : [[`${PREFIX}/${key}`, value]];
      }),
    ),
  };
}

const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** Whether an object with these labels is one that inlay wrote. */
export function isOurs(labels: Labels): boolean {
  return labels[MANAGED_BY] === 'inlay';
}

/** Text as the value of a label: at most 63 letters, digits, `-`, `_`, `.`, a letter or digit at both ends. */
export function labelValue(text: string): string | undefined {
  const fit = text
    .replace(/[^-A-Za-z0-9_.]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
    .replace(/[^A-Za-z0-9]+$/, '');
  return fit === '' ? undefined : fit;
}
