import type { EnvironmentConfig } from '../../contract/index.ts';
import { type Journal, stableRelease, withRelease } from '../journal/index.ts';
import { type Kube, RESOURCES } from '../kube/index.ts';
import { IMAGE_ANNOTATION } from '../names.ts';
import { deploymentSchema } from '../observe/index.ts';
import type { ReleaseImage } from '../service.ts';

/** Reads what an image promises, by its reference. */
export type ResolveImage = (reference: string) => Promise<ReleaseImage>;

export interface Adoption {
  readonly resolve?: ResolveImage | undefined;
  /** What inlay.yaml says for the environment: the best that is known of how it runs. Undefined: what the last release had. */
  readonly deploy: EnvironmentConfig | undefined;
  readonly environment?: string | undefined;
  /** What runs counts, also where inlay has released another one: Git may have gone on since. */
  readonly asItRuns?: boolean | undefined;
}

/**
 * The journal with what is stable without it: applied from `inlay manifests`, or by a GitOps tool, so that the first release by
 * inlay is a canary beside it.
 * @returns the same journal where there is no such Deployment, and where nobody says how it is to run
 */
export async function adopt(kube: Kube, namespace: string, journal: Journal, how: Adoption): Promise<Journal> {
  const known = stableRelease(journal);
  const last = known ?? journal.releases.at(-1);
  const { deploy, environment } = how.deploy === undefined ? { ...last } : { ...how, deploy: how.deploy };
  if ((known && !how.asItRuns) || !how.resolve || deploy === undefined) return journal;
  const found = await kube.find(deploymentSchema, RESOURCES.deployment, journal.service, namespace);
  const reference = found?.metadata.annotations[IMAGE_ANNOTATION];
  if (!found || reference === undefined || (known && reference.endsWith(known.image.digest))) return journal;
  const at = found.metadata.creationTimestamp ?? new Date().toISOString();
  const releases = journal.releases.map((one) => (one === known ? { ...one, stableTo: at } : one));
  return withRelease(
    { ...journal, releases },
    {
      number: (journal.releases.at(-1)?.number ?? 0) + 1,
      kind: 'release',
      image: await how.resolve(reference),
      deploy,
      ...(environment === undefined ? {} : { environment }),
      actor: 'not by inlay deploy',
      startedAt: at,
      stableFrom: at,
      endedAt: at,
      state: 'ended',
      outcome: 'released',
      steps: [],
    },
  );
}
