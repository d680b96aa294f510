/** A kind of object of the Kubernetes API, and where it lies. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As it stands in addresses. */
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (apiVersion: string, kind: string, plural: string): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});

/** The kinds that inlay reads or writes. */
export const RESOURCES = {
  namespace: { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
  node: { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false },
  pod: namespaced('v1', 'Pod', 'pods'),
  service: namespaced('v1', 'Service', 'services'),
  serviceAccount: namespaced('v1', 'ServiceAccount', 'serviceaccounts'),
  configMap: namespaced('v1', 'ConfigMap', 'configmaps'),
  event: namespaced('v1', 'Event', 'events'),
  resourceQuota: namespaced('v1', 'ResourceQuota', 'resourcequotas'),
  deployment: namespaced('apps/v1', 'Deployment', 'deployments'),
  replicaSet: namespaced('apps/v1', 'ReplicaSet', 'replicasets'),
  replicationController: namespaced('v1', 'ReplicationController', 'replicationcontrollers'),
  controllerRevision: namespaced('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  statefulSet: namespaced('apps/v1', 'StatefulSet', 'statefulsets'),
  daemonSet: namespaced('apps/v1', 'DaemonSet', 'daemonsets'),
  job: namespaced('batch/v1', 'Job', 'jobs'),
  cronJob: namespaced('batch/v1', 'CronJob', 'cronjobs'),
  autoscaler: namespaced('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  disruptionBudget: namespaced('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  networkPolicy: namespaced('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  ingress: namespaced('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  httpRoute: namespaced('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes'),
  role: namespaced('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  roleBinding: namespaced('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  lease: namespaced('coordination.k8s.io/v1', 'Lease', 'leases'),
} as const satisfies Readonly<Record<string, Resource>>;

/** The kind of an object that inlay has made. */
export function resourceOf(object: { readonly apiVersion: string; readonly kind: string }): Resource {
  const found = Object.values<Resource>(RESOURCES).find(
    ({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind,
  );
  if (found) return found;
  throw new TypeError(`no resource for ${object.apiVersion} ${object.kind}`);
}

/** `/apis/apps/v1/namespaces/ml/deployments/iris`; without a namespace that of all, without a name the list. */
export function pathOf(resource: Resource, namespace?: string, name?: string): string {
  const { apiVersion, plural } = resource;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${inside}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
