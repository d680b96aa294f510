import type { KubeObject } from './object.ts';

/** Of a pod of inlay's own image: as nobody, as the restricted Pod Security Standard wants it, with volumes that it may write. */
export const OWN_POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  fsGroup: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

export const OWN_CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

/** What the objects of a program of inlay's own in the cluster, a hub or a CronJob, have in common. */
export interface OwnProgram {
  readonly labels: Readonly<Record<string, string>>;
  /** Its Namespace, which admits restricted pods alone, and the ServiceAccount that it runs as. */
  readonly place: readonly KubeObject[];
  /** An object of its name. */
  readonly object: (apiVersion: string, kind: string, more: object) => KubeObject;
  /** Lets it do what a ClusterRole says. @param name the binding's, before the namespace */
  readonly binding: (role: string, name?: string) => KubeObject;
}

/** @param name of its objects and its ServiceAccount @param component as its labels say it */
export function ownProgram(name: string, component: string, namespace: string): OwnProgram {
  const labels = {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'inlay',
  };
  const object = (apiVersion: string, kind: string, more: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace, labels },
    ...more,
  });
  return {
    labels,
    object,
    place: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'restricted' } },
      },
      object('v1', 'ServiceAccount', { automountServiceAccountToken: false }),
    ],
    binding: (role, own = name): KubeObject => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      // A cluster has one of a name: that of another namespace's would be taken over.
      metadata: { name: `${own}:${namespace}`, labels },
      ...{
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    }),
  };
}
