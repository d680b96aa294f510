import { join } from 'node:path';
import type { ReleaseImage } from '../cluster/index.ts';
import type { Project } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { OciLayout } from '../image/index.ts';
import { sourceDateEpoch } from './build-project.ts';
import { targetOf } from './commands/push.ts';
import { inlayHome } from './home.ts';
import { AUTO } from './next-image.ts';

/**
 * A project and the image that its manifests name: the one that was built from it, or the one that `named` says.
 * @throws as readProject; IMAGE_NOT_FOUND, IMAGE_OUTDATED, REFERENCE_INVALID
 */
export async function plannedImage(
  dir: string,
  named: string | undefined,
): Promise<{ readonly project: Project; readonly image: ReleaseImage }> {
  const { readProject } = await import('../contract/index.ts');
  const { ModelDigests, OciLayout, storeDir } = await import('../image/index.ts');
  const home = inlayHome(process.env);
  const layout = await OciLayout.open(storeDir(home));
  const digests = new ModelDigests(layout, join(home, 'cache'), sourceDateEpoch(process.env.SOURCE_DATE_EPOCH));
  const project = await readProject(dir, digests.digest);
  const found = named === undefined ? await builtImage(project, layout) : await namedImage(named);
  return { project, image: { ...found, contract: project.contract } };
}

type Found = Pick<ReleaseImage, 'reference' | 'digest' | 'platforms'>;

async function namedImage(named: string): Promise<Found> {
  const { formatReference, parseReference } = await import('../registry/index.ts');
  const reference = parseReference(named);
  if (reference.digest === undefined)
    throw new InlayError('REFERENCE_INVALID', `--image ${named} has no digest`, {
      hint: 'Write REGISTRY/REPOSITORY:TAG@sha256:…, as inlay push prints it: a tag can be moved.',
    });
  return { reference: formatReference(reference), digest: reference.digest, platforms: [] };
}

/** What `inlay build` made of the project: its digest is the same in any registry that it is pushed to. */
async function builtImage(project: Project, layout: OciLayout): Promise<Found> {
  if (project.config.version === AUTO)
    throw new InlayError('IMAGE_NOT_FOUND', 'version: auto of inlay.yaml names no image', {
      hint: 'Name the one that is meant: --image REGISTRY/REPOSITORY:TAG@sha256:…, as inlay release prints it.',
    });
  const { modelPathOf } = await import('../contract/index.ts');
  const { describeImage, indexSchema, platformName, referenceOf } = await import('../image/index.ts');
  const { formatReference } = await import('../registry/index.ts');
  const reference = referenceOf(project);
  const { digest } = await layout.find(reference);
  const index = indexSchema.parse(JSON.parse(new TextDecoder().decode(await layout.readBytes(digest))));
  const platforms = index.manifests.flatMap(({ platform }) => platform ?? []);
  const [platform] = platforms;
  if (platform === undefined) throw new InlayError('IMAGE_INVALID', `${reference} has no image of a platform`);
  const { manifest, config } = await layout.resolve(reference, platform);
  const built = describeImage(manifest, config).contract?.model.digest;
  if (built !== project.contract.model.digest)
    throw new InlayError(
      'IMAGE_OUTDATED',
      `${reference} was built of another model than ${modelPathOf(project.config)}`,
      {
        hint: 'inlay build makes it of this one; a new model wants a new version.',
      },
    );
  return {
    reference: formatReference({ ...(await targetOf(reference)), digest }),
    digest,
    platforms: platforms.map(platformName),
  };
}
