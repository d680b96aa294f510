import { type Journal, stableRelease, withRelease } from '../journal/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { IMAGE_ANNOTATION } from '../names.ts';
import { deploymentSchema } from '../observe/index.ts';
import type { ReleaseImage } from '../service.ts';

/** Reads what an image promises, by its reference. */
export type ResolveImage = (reference: string) => Promise<ReleaseImage>;

/**
 * The journal with what is stable without it: applied from `inlay manifests`, or by a GitOps tool, so that the first release by
 * inlay is a canary beside it.
 * @returns the same journal where there is no such Deployment
 */
export async function adopt(
  kube: Kube,
  namespace: string,
  journal: Journal,
  resolve: ResolveImage | undefined,
): Promise<Journal> {
  if (stableRelease(journal) || !resolve) return journal;
  const found = await kube.find(deploymentSchema, RESOURCES.deployment, journal.service, namespace);
  const reference = found?.metadata.annotations[IMAGE_ANNOTATION];
  if (!found || reference === undefined) return journal;
  const at = found.metadata.creationTimestamp ?? new Date().toISOString();
  return withRelease(journal, {
    number: (journal.releases.at(-1)?.number ?? 0) + 1,
    kind: 'release',
    image: await resolve(reference),
    deploy: {},
    actor: 'not by inlay deploy',
    startedAt: at,
    stableFrom: at,
    endedAt: at,
    state: 'ended',
    outcome: 'released',
    steps: [],
  });
}
