import { InlayError, isInlayError } from '../error/index.ts';
import {
  configSchema,
  type DescribedImage,
  describeImage,
  type ImageManifest,
  manifestSchema,
  type OciLayout,
  type Platform,
  platformName,
} from '../image/index.ts';
import { readBlob } from './blob/download.ts';
import { digestOf, type Manifest, requireManifest } from './manifest/manifests.ts';
import { readReferrers } from './manifest/referrers.ts';
import { jsonOf } from './manifest/tags.ts';
import { formatReference, identifierOf, parseReference } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

export interface InspectOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  /** A name in the layout, or of an image in a registry. */
  readonly reference: string;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

export interface InspectedImage extends DescribedImage {
  readonly reference: string;
  readonly digest: string;
  /** Where it was found. */
  readonly from: 'store' | 'registry';
  /** What is attached to it that signs it; of an image in the store nothing is known. */
  readonly signatures: readonly { readonly digest: string; readonly artifactType: string }[];
}

const SIGNATURES = /sigstore\.bundle|cosign|notary\.signature/;
const CONFIG_LIMIT = 4 * 2 ** 20;

/**
 * What is in an image, without its layers: from the store where it is there, else from its registry.
 * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, REGISTRY_NOT_FOUND, IMAGE_INVALID
 */
export async function inspectImage(options: InspectOptions): Promise<InspectedImage> {
  const { layout, reference, platform } = options;
  try {
    const { digest, manifest, config } = await layout.resolve(reference, platform);
    return { reference, digest, from: 'store', ...describeImage(manifest, config), signatures: [] };
  } catch (error) {
    // A name without a registry would be asked of Docker Hub, which is not what a typing mistake means.
    if (!isInlayError(error) || error.code !== 'IMAGE_NOT_FOUND' || !namesRegistry(reference)) throw error;
  }
  return inspectRemote(options);
}

async function inspectRemote({ registry, reference, platform, signal }: InspectOptions): Promise<InspectedImage> {
  const parsed = parseReference(reference);
  const repository = registry.open(parsed, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(parsed));
  const image = await platformManifest(repository, root, platform);
  const manifest: ImageManifest = manifestSchema.parse(jsonOf(image.bytes));
  const config = configSchema.safeParse(jsonOf(await readSmall(repository, manifest.config))).data;
  if (!config)
    throw repository.failure(
      'IMAGE_INVALID',
      `reading ${manifest.config.digest}`,
      'the config is not that of an image',
      {
        hint: 'What is there is another kind of artifact.',
      },
    );
  const { referrers } = await readReferrers(repository, root.descriptor.digest);
  return {
    reference: formatReference({ ...parsed, digest: root.descriptor.digest }),
    digest: root.descriptor.digest,
    from: 'registry',
    ...describeImage(manifest, config),
    signatures: referrers.flatMap(({ digest, artifactType }) =>
      artifactType !== undefined && SIGNATURES.test(artifactType) ? [{ digest, artifactType }] : [],
    ),
  };
}

async function platformManifest(repository: Repository, root: Manifest, platform: Platform): Promise<Manifest> {
  if (root.manifests.length === 0) return root;
  const known = root.manifests.filter((m) => m.platform !== undefined);
  const fits = known.find((m) => m.platform?.os === platform.os && m.platform.architecture === platform.architecture);
  if (fits) return requireManifest(repository, fits.digest);
  const there = known.map((m) => `${m.platform?.os}/${m.platform?.architecture}`).join(', ');
  throw new InlayError(
    'PLATFORM_UNSUPPORTED',
    `${repository.host}/${repository.name} has no image for ${platformName(platform)}, only for ${there}`,
    { hint: 'Choose one of them with --platform.' },
  );
}

/** A config, in memory: it is a few kilobytes. */
async function readSmall(
  repository: Repository,
  blob: { readonly digest: string; readonly size: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (blob.size <= CONFIG_LIMIT) for await (const chunk of readBlob(repository, blob)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) === blob.digest) return bytes;
  throw repository.failure('INTEGRITY_MISMATCH', `reading ${blob.digest}`, 'the bytes have another digest', {
    hint: `The copy in ${repository.host} is damaged: push the image again.`,
  });
}

function namesRegistry(reference: string): boolean {
  try {
    return parseReference(reference).registryNamed;
  } catch {
    return false;
  }
}
