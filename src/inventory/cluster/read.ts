import type { z } from 'zod';
import { type Kube, RESOURCES } from '../../cluster/index.ts';
import { isInlayError } from '../../error/index.ts';
import type { Warning } from '../row.ts';
import { journalSeen } from './releases.ts';
import { daemonSetSeen, deploymentSeen, podSeen, statefulSetSeen } from './seen.ts';
import type { ClusterView } from './view.ts';

type Resource = (typeof RESOURCES)[keyof typeof RESOURCES];

/** Objects a page; journals are large. */
const PAGE = 500;
const JOURNAL_PAGE = 50;

/** A kind of object that the inventory follows, and what it does to the view. */
export interface Followed {
  readonly resource: Resource;
  readonly labels?: string;
  readonly pageSize: number;
  /** Without it there is no inventory; the others only add to it. */
  readonly required: boolean;
  readonly schema: z.ZodType<unknown>;
  put(view: ClusterView, item: unknown): void;
  remove(view: ClusterView, item: unknown): void;
  /** What tells two objects of the kind apart. */
  id(item: unknown): string;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

function followed<T>(
  resource: Resource,
  schema: z.ZodType<T | undefined>,
  how: {
    readonly put: (view: ClusterView, item: T) => void;
    readonly remove: (view: ClusterView, item: T) => void;
    readonly id: (item: T) => string;
    readonly labels?: string;
    readonly pageSize?: number;
    readonly required?: boolean;
  },
): Followed {
  const of = <R>(item: unknown, work: (item: T) => R, otherwise: R): R =>
    item === undefined ? otherwise : work(item as T);
  return {
    resource,
    schema,
    pageSize: how.pageSize ?? PAGE,
    required: how.required ?? true,
    ...(how.labels === undefined ? {} : { labels: how.labels }),
    put: (view, item) => of(item, (one) => how.put(view, one), undefined),
    remove: (view, item) => of(item, (one) => how.remove(view, one), undefined),
    id: (item) => of(item, how.id, ''),
  };
}

const named = ({ namespace, name }: Named) => `${namespace}/${name}`;
const workload = {
  put: (view: ClusterView, item: Parameters<ClusterView['putWorkload']>[0]) => view.putWorkload(item),
  remove: (view: ClusterView, item: Parameters<ClusterView['putWorkload']>[0]) => view.removeWorkload(item),
  id: named,
};

/** What the inventory reads of a cluster. */
export const FOLLOWED: readonly Followed[] = [
  followed(RESOURCES.deployment, deploymentSeen, workload),
  followed(RESOURCES.statefulSet, statefulSetSeen, { ...workload, required: false }),
  followed(RESOURCES.daemonSet, daemonSetSeen, { ...workload, required: false }),
  followed(RESOURCES.configMap, journalSeen, {
    put: (view, item) => view.putJournal(item),
    remove: (view, item) => view.removeJournal(item),
    id: ({ namespace, service }) => `${namespace}/${service}`,
    labels: 'app.kubernetes.io/managed-by=inlay',
    pageSize: JOURNAL_PAGE,
    required: false,
  }),
  // The most, and so the last: what they belong to is known by then.
  followed(RESOURCES.pod, podSeen, {
    put: (view, item) => view.putPod(item),
    remove: (view, item) => view.removePod(item),
    id: named,
  }),
];

/**
 * Everything that runs in a cluster or one of its namespaces, read once.
 * @returns what could not be read besides @throws CLUSTER_… where workloads or pods cannot be read
 */
export async function readCluster(kube: Kube, view: ClusterView, namespace: string | undefined): Promise<Warning[]> {
  const warnings: Warning[] = [];
  for (const { resource, schema, labels, pageSize, required, put } of FOLLOWED) {
    try {
      for await (const { items } of kube.pages(schema, resource, { namespace, labels }, pageSize))
        for (const item of items) put(view, item);
    } catch (error) {
      if (required || !isInlayError(error) || error.code !== 'CLUSTER_FORBIDDEN') throw error;
      warnings.push({
        about: `${kube.context}: ${resource.plural}`,
        code: error.code,
        message: error.message,
        hint: error.hint,
      });
    }
  }
  return warnings;
}
