import { InlayError, isInlayError } from '../../error/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { FIELD_MANAGER, SERVICE_LABEL } from '../names.ts';
import { anyObjectSchema } from '../observe/index.ts';
import { RELEASER, type ReleaseJob, releaseJobName, releaseJobOf, releaserObjects } from './release-job.ts';

/**
 * Starts the Job that goes on with a release; one of the same release that has ended is made anew.
 * @throws CLUSTER_FORBIDDEN where this login may not give the Job its Role, with who may
 */
export async function startReleaseJob(kube: Kube, job: ReleaseJob): Promise<string> {
  const name = releaseJobName(job);
  for (const object of releaserObjects(job.namespace)) await applyRight(kube, object, job.namespace);
  await removeReleaseJobs(kube, job);
  await kube.apply(releaseJobOf(job), { manager: FIELD_MANAGER });
  return name;
}

/** Takes away the Jobs of a service: a release that begins has no use for those of earlier ones. */
export async function removeReleaseJobs(kube: Kube, { namespace, service }: Pick<ReleaseJob, 'namespace' | 'service'>) {
  const labels = `app.kubernetes.io/component=release,${SERVICE_LABEL}=${service}`;
  const jobs = await kube.list(anyObjectSchema, RESOURCES.job, { namespace, labels });
  for (const { metadata } of jobs) {
    await kube.delete(RESOURCES.job, metadata.name, namespace);
    while (await kube.find(anyObjectSchema, RESOURCES.job, metadata.name, namespace)) await Bun.sleep(200);
  }
}

/** Rights that are there are left as an administrator made them. */
async function applyRight(kube: Kube, object: Parameters<Kube['apply']>[0], namespace: string): Promise<void> {
  try {
    await kube.apply(object, { manager: FIELD_MANAGER });
  } catch (error) {
    if (!isInlayError(error) || (error.code !== 'CLUSTER_FORBIDDEN' && error.code !== 'CLUSTER_CONFLICT')) throw error;
    const there = await kube
      .find(anyObjectSchema, RESOURCES.serviceAccount, RELEASER, namespace)
      .catch(() => undefined);
    if (there) return;
    throw new InlayError(
      'CLUSTER_FORBIDDEN',
      `the Job needs ServiceAccount, Role and RoleBinding ${namespace}/${RELEASER}, and this login may not make them: ${error.message}`,
      {
        cause: error,
        hint: `Let an administrator apply what this prints: inlay manifests --roles deploy --releaser -n ${namespace}`,
      },
    );
  }
}
