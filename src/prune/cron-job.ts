import {
  type KubeObject,
  OWN_CONTAINER_SECURITY,
  OWN_POD_SECURITY,
  type OwnSecrets,
  ownProgram,
  rolesOf,
  secretsOfPod,
} from '../cluster/index.ts';
import { DECLARATION_DIR, DECLARATION_FILE } from './mounted-declaration.ts';

/** `registrySecret`: its login may delete. */
export interface CronJobOptions extends OwnSecrets {
  readonly namespace: string;
  /** inlay's own image, by digest. */
  readonly image: string;
  /** As cron writes it, in UTC. */
  readonly schedule: string;
  /** What is pruned, by which rules: `mountedDeclaration`. */
  readonly declaration: Readonly<Record<string, string>>;
  /** False to have plans in its log, and nothing deleted. */
  readonly acts: boolean;
  readonly insecureRegistries: readonly string[];
}

const NAME = 'inlay-prune';

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
    object('v1', 'ConfigMap', { data: options.declaration }),
    object('v1', 'PersistentVolumeClaim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } },
    }),
    object('batch/v1', 'CronJob', { spec: cronJobSpec(options, labels) }),
  ];
}

function cronJobSpec(options: CronJobOptions, labels: Readonly<Record<string, string>>) {
  const { image, schedule, acts, insecureRegistries } = options;
  const secrets = secretsOfPod(options);
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
                  DECLARATION_FILE,
                  '--no-local',
                  ...(acts ? ['--yes'] : []),
                  ...insecureRegistries.flatMap((host) => ['--insecure-registry', host]),
                ],
                env: [
                  { name: 'INLAY_HOME', value: '/data' },
                  { name: 'INLAY_ACTOR', value: 'CronJob inlay-prune' },
                  { name: 'HOME', value: '/tmp' },
                  ...secrets.env,
                ],
                resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
                securityContext: OWN_CONTAINER_SECURITY,
                volumeMounts: [
                  { name: 'data', mountPath: '/data' },
                  { name: 'tmp', mountPath: '/tmp' },
                  { name: 'config', mountPath: DECLARATION_DIR, readOnly: true },
                  ...secrets.volumeMounts,
                ],
              },
            ],
            volumes: [
              { name: 'data', persistentVolumeClaim: { claimName: NAME } },
              { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
              { name: 'config', configMap: { name: NAME } },
              ...secrets.volumes,
            ],
            ...secrets.pod,
          },
        },
      },
    },
  };
}
