import { stringify } from 'yaml';
import { type KubeObject, OWN_CONTAINER_SECURITY, OWN_POD_SECURITY, ownProgram, rolesOf } from '../cluster/index.ts';
import type { Target } from './declaration.ts';

export interface CronJobOptions {
  readonly namespace: string;
  /** inlay's own image, by digest. */
  readonly image: string;
  /** As cron writes it, in UTC. */
  readonly schedule: string;
  /** What is pruned, by which rules. */
  readonly targets: readonly Target[];
  /** False to have plans in its log, and nothing deleted. */
  readonly acts: boolean;
  /** A Secret of type kubernetes.io/dockerconfigjson whose login may delete. */
  readonly registrySecret?: string | undefined;
  /** A Secret whose key `config` is a kubeconfig, where there are other clusters than its own. */
  readonly kubeconfigSecret?: string | undefined;
  readonly imagePullSecrets: readonly string[];
  readonly insecureRegistries: readonly string[];
}

const NAME = 'inlay-prune';
const CONFIG = '/etc/inlay/prune.yaml';

/**
 * What prunes regularly: inlay's own image as a CronJob that reads its cluster and changes nothing in it. What it has seen, and the journal
 * of a sweep that was interrupted, lie on a volume: without it every image would be new each time.
 */
export function pruneObjects(options: CronJobOptions): KubeObject[] {
  const { labels, place, object, binding } = ownProgram(NAME, 'prune', options.namespace);
  return [
    ...place,
    ...rolesOf(['prune'], undefined),
    binding('inlay-prune'),
    object('v1', 'ConfigMap', { data: { 'prune.yaml': fleetFile(options.targets) } }),
    object('v1', 'PersistentVolumeClaim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
    }),
    object('batch/v1', 'CronJob', { spec: cronJobSpec(options, labels) }),
  ];
}

/** The targets as a file for --config. */
function fleetFile(targets: readonly Target[]): string {
  const repositories = targets.map(({ repository, policy, clusters }) => [
    repository,
    {
      ...(clusters === undefined ? {} : { clusters }),
      keepLast: policy.keepLast,
      grace: `${policy.graceMs / 1000}s`,
      keepTags: policy.keepTags,
    },
  ]);
  return stringify({ repositories: Object.fromEntries(repositories) });
}

function cronJobSpec(options: CronJobOptions, labels: Readonly<Record<string, string>>) {
  const { image, schedule, acts, registrySecret, kubeconfigSecret, imagePullSecrets, insecureRegistries } = options;
  return {
    schedule,
    timeZone: 'Etc/UTC',
    // Two would only get in each other's way; one that was missed is made up for at the next.
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3600,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: {
      spec: {
        // A refusal stays one: the next run looks again.
        backoffLimit: 0,
        template: {
          metadata: { labels, annotations: { 'prometheus.io/scrape': 'false' } },
          spec: {
            serviceAccountName: NAME,
            automountServiceAccountToken: true,
            enableServiceLinks: false,
            restartPolicy: 'Never',
            securityContext: OWN_POD_SECURITY,
            containers: [
              {
                name: 'prune',
                image,
                imagePullPolicy: 'IfNotPresent',
                args: [
                  'prune',
                  '--config',
                  CONFIG,
                  '--no-local',
                  ...(acts ? ['--yes'] : []),
                  ...insecureRegistries.flatMap((host) => ['--insecure-registry', host]),
                ],
                env: [
                  { name: 'INLAY_HOME', value: '/data' },
                  { name: 'INLAY_ACTOR', value: 'CronJob inlay-prune' },
                  { name: 'HOME', value: '/tmp' },
                  ...(registrySecret === undefined ? [] : [{ name: 'DOCKER_CONFIG', value: '/etc/inlay-registry' }]),
                  ...(kubeconfigSecret === undefined
                    ? []
                    : [{ name: 'KUBECONFIG', value: '/etc/inlay-clusters/config' }]),
                ],
                resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
                securityContext: OWN_CONTAINER_SECURITY,
                volumeMounts: [
                  { name: 'data', mountPath: '/data' },
                  { name: 'tmp', mountPath: '/tmp' },
                  { name: 'config', mountPath: '/etc/inlay', readOnly: true },
                  ...(registrySecret === undefined
                    ? []
                    : [{ name: 'registry', mountPath: '/etc/inlay-registry', readOnly: true }]),
                  ...(kubeconfigSecret === undefined
                    ? []
                    : [{ name: 'clusters', mountPath: '/etc/inlay-clusters', readOnly: true }]),
                ],
              },
            ],
            volumes: [
              { name: 'data', persistentVolumeClaim: { claimName: NAME } },
              { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
              { name: 'config', configMap: { name: NAME } },
              ...(registrySecret === undefined
                ? []
                : [
                    {
                      name: 'registry',
                      secret: {
                        secretName: registrySecret,
                        items: [{ key: '.dockerconfigjson', path: 'config.json' }],
                      },
                    },
                  ]),
              ...(kubeconfigSecret === undefined
                ? []
                : [
                    {
                      name: 'clusters',
                      secret: { secretName: kubeconfigSecret, items: [{ key: 'config', path: 'config' }] },
                    },
                  ]),
            ],
            ...(imagePullSecrets.length > 0 ? { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) } : {}),
          },
        },
      },
    },
  };
}
