import type { V1Job, V1RoleBinding, V1ServiceAccount } from '@kubernetes/client-node';
import { type KubeObject, type Manifest, rolesOf } from '../manifests/index.ts';
import { journalName, PREFIX, RELEASES_LABEL, SERVICE_LABEL } from '../names.ts';

export interface ReleaseJob {
  readonly service: string;
  readonly namespace: string;
  /** The release in the journal that it goes on with. */
  readonly release: number;
  /** inlay's own image, by digest. */
  readonly image: string;
  readonly imagePullSecrets: readonly string[];
  /** Who asked for it, as history tells. */
  readonly actor: string;
  /** Take over fields that other tools manage. */
  readonly forceConflicts?: boolean | undefined;
}

/** Who the Job is; the Role is the one of `inlay manifests --roles deploy`. */
export const RELEASER = 'inlay-deploy';
/** How long a Job that has ended can be looked at, seconds; the journal stays. */
const KEPT_S = 600;
/** Exit code 1: the answer is no. Another try would give the same. */
const NO = 1;

const labelsOf = (service?: string) => ({
  'app.kubernetes.io/managed-by': 'inlay',
  'app.kubernetes.io/component': 'release',
  ...(service === undefined ? {} : { [SERVICE_LABEL]: service }),
});

/** The ServiceAccount, Role and RoleBinding that release Jobs of a namespace run as. */
export function releaserObjects(namespace: string): KubeObject[] {
  const metadata = { name: RELEASER, namespace, labels: labelsOf() };
  const account: Manifest<V1ServiceAccount> = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata,
    automountServiceAccountToken: false,
  };
  const binding: Manifest<V1RoleBinding> = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: RELEASER },
    subjects: [{ kind: 'ServiceAccount', name: RELEASER, namespace }],
  };
  return [account, ...rolesOf(['deploy'], namespace).filter(({ kind }) => kind === 'Role'), binding];
}

export function releaseJobName({ service, release }: Pick<ReleaseJob, 'service' | 'release'>): string {
  return `${journalName(service)}-${release}`;
}

/**
 * The Job that goes on with a release from its journal: `inlay resume` in inlay's own image. A node that is drained or a program that
 * is killed makes it start again; a verdict against the canary ends it.
 */
export function releaseJobOf(job: ReleaseJob): Manifest<V1Job> {
  const labels = labelsOf(job.service);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: releaseJobName(job),
      namespace: job.namespace,
      labels,
      annotations: { [`${PREFIX}/actor`]: job.actor },
    },
    spec: {
      backoffLimit: 10,
      ttlSecondsAfterFinished: KEPT_S,
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'inlay', operator: 'In', values: [NO] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      template: {
        // Not the service's own label: a Service selects by it.
        metadata: { labels: { ...labelsOf(), [RELEASES_LABEL]: job.service } },
        spec: {
          serviceAccountName: RELEASER,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 10,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'inlay',
              image: job.image,
              imagePullPolicy: 'IfNotPresent',
              args: [
                ...['resume', job.service, '--namespace', job.namespace],
                ...(job.forceConflicts ? ['--force-conflicts'] : []),
              ],
              env: [
                { name: 'INLAY_ACTOR', value: job.actor },
                // A pod that is started again may find it ended: then how it ended is how the Job ends.
                { name: 'INLAY_RELEASE', value: String(job.release) },
                { name: 'HOME', value: '/tmp' },
              ],
              resources: {
                requests: { cpu: '50m', memory: '128Mi', 'ephemeral-storage': '32Mi' },
                limits: { memory: '384Mi', 'ephemeral-storage': '64Mi' },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '32Mi' } }],
          ...(job.imagePullSecrets.length > 0
            ? { imagePullSecrets: job.imagePullSecrets.map((name) => ({ name })) }
            : {}),
        },
      },
    },
  };
}
