import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import {
  type KubeObject,
  OWN_CONTAINER_SECURITY,
  OWN_POD_SECURITY,
  type OwnSecrets,
  ownProgram,
  PREFIX,
  rolesOf,
  secretsOfPod,
} from '../../cluster/index.ts';

export interface HubManifestsOptions extends OwnSecrets {
  readonly namespace: string;
  readonly image: string;
  /** A Secret whose key `url` is the address of Postgres; without it SQLite on a PersistentVolumeClaim. */
  readonly databaseSecret?: string | undefined;
  /** What its plans of pruning are made by: the files of a ConfigMap, and which of them is the declaration, where they are mounted. */
  readonly declaration?: { readonly files: Readonly<Record<string, string>>; readonly path: string } | undefined;
  readonly insecureRegistries: readonly string[];
}

const NAME = 'inlay-hub';
const PORT = 8090;

/** What runs a hub in the cluster that it watches: it reads what inventory and prune's plans do, and writes nothing but its ledger. */
export function hubManifests(options: HubManifestsOptions): KubeObject[] {
  const { namespace, databaseSecret } = options;
  const { labels, place, object, binding } = ownProgram(NAME, 'hub', namespace);
  return [
    ...place,
    ...rolesOf(['inventory', 'prune'], undefined),
    binding('inlay-inventory'),
    binding('inlay-prune', `${NAME}-prune`),
    ...(databaseSecret === undefined
      ? [
          object('v1', 'PersistentVolumeClaim', {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
          }),
        ]
      : []),
    ...(options.declaration ? [object('v1', 'ConfigMap', { data: options.declaration.files })] : []),
    object('apps/v1', 'Deployment', { spec: deploymentSpec(options, labels) }),
    object('v1', 'Service', {
      spec: { selector: { 'app.kubernetes.io/name': NAME }, ports: [{ name: 'http', port: PORT, targetPort: 'http' }] },
    }),
  ];
}

function sumOf(files: Readonly<Record<string, string>>): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}

function deploymentSpec(options: HubManifestsOptions, labels: Readonly<Record<string, string>>) {
  const { image, databaseSecret, insecureRegistries, declaration } = options;
  const secrets = secretsOfPod(options);
  const secret = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, periodSeconds: 10, timeoutSeconds: 3 });
  return {
    replicas: 1,
    // SQLite's volume and the writer's lock are for one at a time.
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { 'app.kubernetes.io/name': NAME } },
    template: {
      metadata: {
        labels,
        annotations: {
          'prometheus.io/scrape': 'false',
          // The file is read at the start: another one makes another pod.
          ...(declaration ? { [`${PREFIX}/declaration`]: sumOf(declaration.files) } : {}),
        },
      },
      spec: {
        serviceAccountName: NAME,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        securityContext: OWN_POD_SECURITY,
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
              ...(declaration ? ['--prune', declaration.path] : []),
              ...insecureRegistries.flatMap((host) => ['--insecure-registry', host]),
            ],
            env: [
              { name: 'INLAY_HOME', value: '/data' },
              { name: 'INLAY_HUB_TOKEN', ...secret(NAME, 'token') },
              { name: 'HOME', value: '/tmp' },
              ...(databaseSecret === undefined ? [] : [{ name: 'INLAY_DATABASE', ...secret(databaseSecret, 'url') }]),
              ...secrets.env,
            ],
            ports: [{ name: 'http', containerPort: PORT }],
            readinessProbe: probe('/readyz'),
            livenessProbe: { ...probe('/healthz'), failureThreshold: 6 },
            resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
            securityContext: OWN_CONTAINER_SECURITY,
            volumeMounts: [
              { name: 'data', mountPath: '/data' },
              { name: 'tmp', mountPath: '/tmp' },
              ...(declaration ? [{ name: 'config', mountPath: dirname(declaration.path), readOnly: true }] : []),
              ...secrets.volumeMounts,
            ],
          },
        ],
        volumes: [
          databaseSecret === undefined
            ? { name: 'data', persistentVolumeClaim: { claimName: NAME } }
            : { name: 'data', emptyDir: {} },
          { name: 'tmp', emptyDir: {} },
          ...(declaration ? [{ name: 'config', configMap: { name: NAME } }] : []),
          ...secrets.volumes,
        ],
        ...secrets.pod,
      },
    },
  };
}
