import type { ReleaseImage } from '../cluster/index.ts';
import type { Contract } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { Registry } from '../registry/index.ts';
import { inlayHome } from './home.ts';

/**
 * What a release needs to know of an image, from its registry: nodes will pull it from there, by its digest.
 * @throws REFERENCE_INVALID, REGISTRY_NOT_FOUND, RELEASE_REFUSED for what inlay's server does not serve
 */
export async function releaseImage(registry: Registry, image: string, signal: AbortSignal): Promise<ReleaseImage> {
  const { isOpaque } = await import('../contract/index.ts');
  const { hostPlatform, OciLayout, platformName, storeDir } = await import('../image/index.ts');
  const { attachmentsInRegistry, contractOfImage, formatReference, registryReference } = await import(
    '../registry/index.ts'
  );
  const parsed = registryReference(image);
  if (!parsed)
    throw new InlayError('REFERENCE_INVALID', `${image} names no registry that nodes could pull it from`, {
      hint: 'Push it first (inlay push), and deploy REGISTRY/REPOSITORY:TAG.',
    });
  const { root, platforms } = await attachmentsInRegistry({ registry, reference: parsed, write: false, signal });
  const reference = formatReference({ ...parsed, digest: root.digest });
  const known = platforms.flatMap(({ platform }) => platform ?? []);
  const layout = await OciLayout.open(storeDir(inlayHome(process.env)));
  const platform = known[0] ?? hostPlatform(process.arch);
  const { contract } = await contractOfImage({ registry, layout, reference, platform, signal });
  if (isOpaque(contract))
    throw new InlayError(
      'RELEASE_REFUSED',
      `${image} has an opaque model: inlay does not know how its server tells that it is ready`,
      {
        hint: 'Write the manifests of a server of your own by hand; inventory and prune know its images all the same.',
      },
    );
  return { reference, digest: root.digest, platforms: known.map(platformName), contract: contractForRelease(contract) };
}

/** What of a contract a release keeps. */
export function contractForRelease(contract: Contract): ReleaseImage['contract'] {
  const { name, version, task, inputs, outputs, prediction, labels, metrics, server, owner, model } = contract;
  const { digest, sizeBytes, externalData } = model;
  return {
    name,
    version,
    task,
    inputs,
    outputs,
    prediction,
    labels,
    metrics,
    server,
    owner,
    model: { digest, sizeBytes, externalData },
  };
}
