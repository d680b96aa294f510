import { InlayError, isInlayError } from '../error/index.ts';
import {
  type Attachments,
  attachmentsInLayout,
  configSchema,
  type DescribedImage,
  describeImage,
  type ImageManifest,
  manifestSchema,
  type OciLayout,
  type Platform,
  platformName,
} from '../image/index.ts';
import { type Attached, attachedTo } from './attached.ts';
import { attachmentsInRegistry } from './attachments.ts';
import { readSmallBlob } from './blob/small.ts';
import { type Manifest, requireManifest } from './manifest/manifests.ts';
import { jsonOf } from './manifest/tags.ts';
import { formatReference, identifierOf, parseReference, registryReference } from './reference.ts';
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
  /** What is attached to it and to this platform's manifest that signs them; nothing is verified. */
  readonly signatures: readonly Attached[];
  readonly sboms: readonly Attached[];
  readonly provenance: readonly Attached[];
}

/**
 * What is in an image, without its layers: from the store where it is there, else from its registry.
 * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, REGISTRY_NOT_FOUND, IMAGE_INVALID
 */
export async function inspectImage(options: InspectOptions): Promise<InspectedImage> {
  const { layout, reference, platform } = options;
  try {
    const { digest, manifestDigest, manifest, config } = await layout.resolve(reference, platform);
    const attached = await attachedHere(await attachmentsInLayout(layout, reference), [digest, manifestDigest]);
    return { reference, digest, from: 'store', ...describeImage(manifest, config), ...attached };
  } catch (error) {
    // A name without a registry would be asked of Docker Hub, which is not what a typing mistake means.
    if (!isInlayError(error) || error.code !== 'IMAGE_NOT_FOUND' || !registryReference(reference)) throw error;
  }
  return inspectRemote(options);
}

async function inspectRemote({ registry, reference, platform, signal }: InspectOptions): Promise<InspectedImage> {
  const parsed = parseReference(reference);
  const repository = registry.open(parsed, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(parsed));
  const image = await platformManifest(repository, root, platform);
  const manifest: ImageManifest = manifestSchema.parse(jsonOf(image.bytes));
  const config = configSchema.safeParse(jsonOf(await readSmallBlob(repository, manifest.config))).data;
  if (!config)
    throw repository.failure(
      'IMAGE_INVALID',
      `reading ${manifest.config.digest}`,
      'the config is not that of an image',
      {
        hint: 'What is there is another kind of artifact.',
      },
    );
  const attachments = await attachmentsInRegistry({ registry, reference: parsed, write: false, signal });
  return {
    reference: formatReference({ ...parsed, digest: root.descriptor.digest }),
    digest: root.descriptor.digest,
    from: 'registry',
    ...describeImage(manifest, config),
    ...(await attachedHere(attachments, [root.descriptor.digest, image.descriptor.digest])),
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

async function attachedHere(attachments: Attachments, digests: readonly string[]) {
  const attached = (await Promise.all([...new Set(digests)].map((digest) => attachedTo(attachments, digest)))).flat();
  const of = (kind: Attached['kind']) => attached.filter((one) => one.kind === kind);
  return { signatures: of('signature'), sboms: of('sbom'), provenance: of('provenance') };
}
