import { InlayError, isInlayError } from '../error/index.ts';
import {
  configSchema,
  type Descriptor,
  manifestSchema,
  type OciLayout,
  type Platform,
  platformName,
  type ResolvedImage,
} from '../image/index.ts';
import { readBlob } from './blob/download.ts';
import { readSmallBlob } from './blob/small.ts';
import { type Manifest, requireManifest } from './manifest/manifests.ts';
import { jsonOf } from './manifest/tags.ts';
import { formatReference, identifierOf, parseReference, registryReference } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

export interface LocateOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  /** A name in the layout, or of an image in a registry. */
  readonly reference: string;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

/** One platform's image where it lies: its manifest and config, and a way to its layers. */
export interface LocatedImage extends ResolvedImage {
  readonly from: 'store' | 'registry';
  /** A layer's bytes as they come; who reads all of them checks the digest. */
  readonly read: (layer: Descriptor) => AsyncIterable<Uint8Array>;
}

/**
 * An image in the store where it is there, else in its registry.
 * @throws IMAGE_NOT_FOUND, PLATFORM_UNSUPPORTED, REGISTRY_NOT_FOUND, IMAGE_INVALID
 */
export async function locateImage(options: LocateOptions): Promise<LocatedImage> {
  const { layout, reference, platform } = options;
  try {
    const image = await layout.resolve(reference, platform);
    return { ...image, from: 'store', read: (layer) => readHere(options, layer) };
  } catch (error) {
    // A name without a registry would be asked of Docker Hub, which is not what a typing mistake means.
    if (!isInlayError(error) || error.code !== 'IMAGE_NOT_FOUND' || !registryReference(reference)) throw error;
  }
  return locateRemote(options);
}

/** A layer in the store; of an image that is there by its manifests alone, where its name says. */
async function* readHere(options: LocateOptions, layer: Descriptor): AsyncGenerator<Uint8Array> {
  const { registry, layout, reference, signal } = options;
  const remote = registryReference(reference);
  if (remote === undefined || (await layout.has(layer))) yield* layout.stream(layer);
  else yield* readBlob(registry.open(remote, { actions: ['pull'], signal }), layer);
}

async function locateRemote({ registry, reference, platform, signal }: LocateOptions): Promise<LocatedImage> {
  const parsed = parseReference(reference);
  const repository = registry.open(parsed, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(parsed));
  const image = await platformManifest(repository, root, platform);
  const manifest = manifestSchema.parse(jsonOf(image.bytes));
  const config = configSchema.safeParse(jsonOf(await readSmallBlob(repository, manifest.config))).data;
  if (!config)
    throw repository.failure(
      'IMAGE_INVALID',
      `reading ${manifest.config.digest}`,
      'the config is not that of an image',
      { hint: 'What is there is another kind of artifact.' },
    );
  return {
    reference: formatReference({ ...parsed, digest: root.descriptor.digest }),
    digest: root.descriptor.digest,
    manifestDigest: image.descriptor.digest,
    manifest,
    config,
    from: 'registry',
    read: (layer) => readBlob(repository, layer),
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
