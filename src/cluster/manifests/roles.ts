import type { V1ClusterRole, V1PolicyRule, V1Role } from '@kubernetes/client-node';
import type { KubeObject, Manifest } from './object.ts';

/** The commands that talk to a cluster; `detach` is `deploy --detach`. */
export type ClusterCommand =
  | 'status'
  | 'history'
  | 'logs'
  | 'forward'
  | 'deploy'
  | 'promote'
  | 'abort'
  | 'rollback'
  | 'resume'
  | 'release'
  | 'detach'
  | 'verdict'
  | 'inventory'
  | 'prune';

/** Verbs by resource, called as `kubectl auth can-i` calls it: `deployments.apps/scale`, `pods/log`. */
type Permissions = Readonly<Record<string, string>>;

const READ = 'get list watch';
const WRITE = 'get list watch create patch delete';

const PODS: Permissions = { pods: READ, 'deployments.apps': READ, 'replicasets.apps': READ };

const STATUS: Permissions = {
  ...PODS,
  'horizontalpodautoscalers.autoscaling': READ,
  events: READ,
  configmaps: 'get',
  'leases.coordination.k8s.io': 'get',
  'jobs.batch': 'list',
  ...metrics(),
};

/** Any command that changes a release can finish what another began, so all of them need the same. */
const RELEASE: Permissions = {
  'deployments.apps': WRITE,
  'deployments.apps/scale': 'get update patch',
  'replicasets.apps': READ,
  'horizontalpodautoscalers.autoscaling': WRITE,
  services: WRITE,
  serviceaccounts: WRITE,
  'poddisruptionbudgets.policy': WRITE,
  'networkpolicies.networking.k8s.io': WRITE,
  'ingresses.networking.k8s.io': WRITE,
  'httproutes.gateway.networking.k8s.io': WRITE,
  configmaps: `${WRITE} update`,
  'leases.coordination.k8s.io': `${WRITE} update`,
  pods: READ,
  'pods/log': 'get',
  events: READ,
  resourcequotas: READ,
  ...metrics(),
};

/** The Job that goes on with a release; whose rights it has is an administrator's to say (`--roles releaser`). */
const DETACH: Permissions = { ...RELEASE, 'jobs.batch': WRITE };

/** Through the kubelet where that can be, else through the API server's proxy. */
function metrics(): Permissions {
  return { 'pods/portforward': 'get create', 'pods/proxy': 'get' };
}

const EVERYWHERE: Permissions = {
  namespaces: READ,
  pods: READ,
  services: READ,
  'deployments.apps': READ,
  'replicasets.apps': READ,
  'statefulsets.apps': READ,
  'daemonsets.apps': READ,
  'horizontalpodautoscalers.autoscaling': READ,
};

/** What each command asks of the API, and where: in the service's namespace, or in all of them. docs/permissions.md shows it. */
export const PERMISSIONS: Readonly<
  Record<ClusterCommand, { readonly scope: 'namespace' | 'cluster'; readonly permissions: Permissions }>
> = {
  status: { scope: 'namespace', permissions: STATUS },
  history: { scope: 'namespace', permissions: { configmaps: 'get' } },
  logs: { scope: 'namespace', permissions: { ...PODS, 'pods/log': 'get' } },
  forward: { scope: 'namespace', permissions: { ...PODS, services: 'get', 'pods/portforward': 'get create' } },
  deploy: { scope: 'namespace', permissions: RELEASE },
  promote: { scope: 'namespace', permissions: RELEASE },
  abort: { scope: 'namespace', permissions: RELEASE },
  rollback: { scope: 'namespace', permissions: RELEASE },
  resume: { scope: 'namespace', permissions: RELEASE },
  release: { scope: 'namespace', permissions: RELEASE },
  detach: { scope: 'namespace', permissions: DETACH },
  // Events and a log tell why a canary does not get ready.
  verdict: { scope: 'namespace', permissions: { ...PODS, events: READ, 'pods/log': 'get', ...metrics() } },
  // Journals, which tell who released what and why; RBAC cannot narrow it to them.
  inventory: { scope: 'cluster', permissions: { ...EVERYWHERE, configmaps: READ } },
  prune: {
    scope: 'cluster',
    permissions: {
      ...EVERYWHERE,
      'jobs.batch': READ,
      'cronjobs.batch': READ,
      'controllerrevisions.apps': READ,
      replicationcontrollers: READ,
      // Journals, wherever they are: what is released before its Deployment is there stands in them alone.
      configmaps: READ,
    },
  },
};

/** What no Role of a namespace can give, and a release does without: architectures of the nodes, the namespace's own rules. */
export const NODES: Permissions = { nodes: 'get list', namespaces: 'get' };

export const CLUSTER_COMMANDS = Object.keys(PERMISSIONS) as readonly ClusterCommand[];

/** Rules as RBAC writes them: what has the same group and verbs stands together. */
export function rulesOf(permissions: Permissions): V1PolicyRule[] {
  const rules = new Map<string, V1PolicyRule>();
  for (const [called, verbs] of Object.entries(permissions)) {
    const [whole = '', part] = called.split('/');
    const [resource = '', ...group] = whole.split('.');
    const apiGroup = group.join('.');
    const key = `${apiGroup} ${verbs}`;
    const rule = rules.get(key) ?? { apiGroups: [apiGroup], resources: [], verbs: verbs.split(' ') };
    rule.resources?.push(part === undefined ? resource : `${resource}/${part}`);
    rules.set(key, rule);
  }
  return [...rules.values()];
}

/** A Role for each command (a ClusterRole where it reads all namespaces), and the optional ClusterRole for nodes and namespaces. */
export function rolesOf(commands: readonly ClusterCommand[], namespace: string | undefined): KubeObject[] {
  const roles = commands.map((command) => {
    const { scope, permissions } = PERMISSIONS[command];
    return scope === 'cluster'
      ? clusterRole(`inlay-${command}`, permissions)
      : role(`inlay-${command}`, permissions, namespace);
  });
  const released = commands.some((command) => [RELEASE, DETACH].includes(PERMISSIONS[command].permissions));
  return released ? [...roles, clusterRole('inlay-nodes', NODES)] : roles;
}

const API_VERSION = 'rbac.authorization.k8s.io/v1';
const labels = { 'app.kubernetes.io/managed-by': 'inlay' };

function role(name: string, permissions: Permissions, namespace: string | undefined): Manifest<V1Role> {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels };
  return { apiVersion: API_VERSION, kind: 'Role', metadata, rules: rulesOf(permissions) };
}

function clusterRole(name: string, permissions: Permissions): Manifest<V1ClusterRole> {
  return { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: { name, labels }, rules: rulesOf(permissions) };
}
