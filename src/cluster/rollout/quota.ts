import { deploymentOf } from '../manifests/index.ts';
import type { Quota } from '../observe/index.ts';
import type { ServicePlan } from '../service.ts';

/** What a ResourceQuota lacks for so many pods more, in words; empty where they fit. */
export function quotaShortage({ status }: Quota, plan: ServicePlan, pods: number): string[] {
  const [container] = deploymentOf(plan, 'stable').spec?.template.spec?.containers ?? [];
  const { requests = {}, limits = {} } = container?.resources ?? {};
  const wanted = (resource: string): number | undefined => {
    if (resource === 'pods' || resource === 'count/pods') return pods;
    const [kind = '', name = kind] = resource.split('.');
    const quantity =
      kind === 'limits' ? limits[name] : kind === 'requests' || resource === name ? requests[name] : undefined;
    return quantity === undefined ? undefined : amountOf(quantity) * pods;
  };
  return Object.entries(status.hard).flatMap(([resource, hard]) => {
    const more = wanted(resource);
    if (more === undefined) return [];
    const used = status.used[resource] ?? '0';
    return amountOf(used) + more > amountOf(hard) ? [`${resource} ${used} of ${hard} used`] : [];
  });
}

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity (`500m`, `300Mi`) as a number. */
export function amountOf(quantity: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+(?:e\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return Number(number) * (UNITS[unit] ?? 1);
}
