import { InlayError } from '../../error/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { FIELD_MANAGER, releaseJobSelector } from '../names.ts';
import { anyObjectSchema } from '../observe/index.ts';
import { RELEASER, type ReleaseJob, releaseJobName, releaseJobOf } from './release-job.ts';

/**
 * Asked before a release is begun: without it, it would be begun and nobody would go on with it.
 * @throws CLUSTER_NOT_FOUND where the account that release Jobs run as is not there
 */
export async function expectReleaser(kube: Kube, namespace: string): Promise<void> {
  if (await kube.find(anyObjectSchema, RESOURCES.serviceAccount, RELEASER, namespace)) return;
  throw new InlayError(
    'CLUSTER_NOT_FOUND',
    `the Job needs ServiceAccount ${namespace}/${RELEASER}, and there is none`,
    {
      hint: `inlay gives no rights away: let an administrator apply what this prints: inlay manifests --roles releaser -n ${namespace}`,
    },
  );
}

/**
 * Starts the Job that goes on with a release; one of the same release that has ended is made anew.
 * @throws CLUSTER_NOT_FOUND where the account that the Job runs as is not there
 */
export async function startReleaseJob(kube: Kube, job: ReleaseJob): Promise<string> {
  const name = releaseJobName(job);
  await expectReleaser(kube, job.namespace);
  await removeReleaseJobs(kube, job);
  await kube.apply(releaseJobOf(job), { manager: FIELD_MANAGER });
  return name;
}

/** Takes away the Jobs of a service: a release that begins has no use for those of earlier ones. */
export async function removeReleaseJobs(kube: Kube, { namespace, service }: Pick<ReleaseJob, 'namespace' | 'service'>) {
  const labels = releaseJobSelector(service);
  const jobs = await kube.list(anyObjectSchema, RESOURCES.job, { namespace, labels });
  for (const { metadata } of jobs) {
    await kube.delete(RESOURCES.job, metadata.name, namespace);
    while (await kube.find(anyObjectSchema, RESOURCES.job, metadata.name, namespace)) await Bun.sleep(200);
  }
}
