import { type KubeObject, rolesOf } from '../../cluster/index.ts';

export interface HubManifestsOptions {
  readonly namespace: string;
  readonly image: string;
  /** A Secret whose key `url` is the address of Postgres; without it SQLite on a PersistentVolumeClaim. */
  readonly databaseSecret?: string | undefined;
  readonly insecureRegistries: readonly string[];
}

const NAME = 'inlay-hub';
const PORT = 8090;
const labels = {
  'app.kubernetes.io/name': NAME,
  'app.kubernetes.io/component': 'hub',
  'app.kubernetes.io/managed-by': 'inlay',
};

/** What runs a hub in the cluster that it watches: it reads what inventory and prune's plans do, and writes nothing but its ledger. */
export function hubManifests(options: HubManifestsOptions): KubeObject[] {
  const { namespace, databaseSecret } = options;
  const metadata = { name: NAME, namespace, labels };
  const object = (apiVersion: string, kind: string, more: object): KubeObject => ({
    apiVersion,
    kind,
    metadata,
    ...more,
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    object('v1', 'ServiceAccount', { automountServiceAccountToken: false }),
    ...rolesOf(['inventory', 'prune'], undefined),
    binding(NAME, 'inlay-inventory', namespace),
    binding(`${NAME}-prune`, 'inlay-prune', namespace),
    ...(databaseSecret === undefined
      ? [
          object('v1', 'PersistentVolumeClaim', {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
          }),
        ]
      : []),
    object('apps/v1', 'Deployment', { spec: deploymentSpec(options) }),
    object('v1', 'Service', {
      spec: { selector: { 'app.kubernetes.io/name': NAME }, ports: [{ name: 'http', port: PORT, targetPort: 'http' }] },
    }),
  ];
}

function binding(name: string, role: string, namespace: string): KubeObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    ...{
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace }],
    },
  };
}

function deploymentSpec({ image, databaseSecret, insecureRegistries }: HubManifestsOptions) {
  const secret = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, periodSeconds: 10, timeoutSeconds: 3 });
  return {
    replicas: 1,
    // SQLite's volume and the writer's lock are for one at a time.
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { 'app.kubernetes.io/name': NAME } },
    template: {
      metadata: { labels, annotations: { 'prometheus.io/scrape': 'false' } },
      spec: {
        serviceAccountName: NAME,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'hub',
            image,
            args: [
              'hub',
              '--host',
              '0.0.0.0',
              '--port',
              String(PORT),
              ...insecureRegistries.flatMap((host) => ['--insecure-registry', host]),
            ],
            env: [
              { name: 'INLAY_HOME', value: '/data' },
              { name: 'INLAY_HUB_TOKEN', ...secret(NAME, 'token') },
              ...(databaseSecret === undefined ? [] : [{ name: 'INLAY_DATABASE', ...secret(databaseSecret, 'url') }]),
            ],
            ports: [{ name: 'http', containerPort: PORT }],
            readinessProbe: probe('/readyz'),
            livenessProbe: { ...probe('/healthz'), failureThreshold: 6 },
            resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              privileged: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'data', mountPath: '/data' },
              { name: 'tmp', mountPath: '/tmp' },
            ],
          },
        ],
        volumes: [
          databaseSecret === undefined
            ? { name: 'data', persistentVolumeClaim: { claimName: NAME } }
            : { name: 'data', emptyDir: {} },
          { name: 'tmp', emptyDir: {} },
        ],
      },
    },
  };
}
