import { join } from 'node:path';
import { InlayError, isInlayError } from '../../error/index.ts';
import type { Layer } from '../layer/layer.ts';
import { noted } from '../note.ts';
import type { OciLayout } from '../oci/layout.ts';
import { MEDIA_TYPE } from '../oci/media-types.ts';
import type { ImageConfig, Platform } from '../oci/schema.ts';
import { platformName } from '../platform.ts';
import type { RuntimeNeeds } from '../runtime/needs.ts';
import { whyUnfit } from './fits-runtime.ts';
import { type BaseImageFacts, imageFactsSchema, readImageFacts } from './image-facts.ts';

/** An image in a registry, by the digest that inlay.lock pins for its name. */
export interface PinnedImage {
  /** As inlay.yaml names it. */
  readonly reference: string;
  /** Of the index, or of the one manifest. */
  readonly digest: string;
}

/** One platform's image to stand on: its layers as they are, and what it holds. */
export interface ImageBase {
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  readonly facts: BaseImageFacts;
}

/** Docker's names for what OCI's image specification calls by its own; the bytes are the same (media-types.md, "Compatibility Matrix"). */
const OCI_NAME: Readonly<Record<string, string>> = {
  'application/vnd.docker.image.rootfs.diff.tar': MEDIA_TYPE.layer,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': MEDIA_TYPE.layerGzip,
  'application/vnd.docker.image.rootfs.diff.tar.zstd': MEDIA_TYPE.layerZstd,
};

/**
 * An image to stand on, whose manifests and layers are in the store. What it holds is read once and noted.
 * @param cacheDir for the notes @throws BASE_INVALID, PLATFORM_UNSUPPORTED, IMAGE_INVALID
 */
export async function baseFromImage(
  layout: OciLayout,
  platform: Platform,
  base: PinnedImage,
  cacheDir: string,
): Promise<ImageBase> {
  const image = await layout.resolve(base.digest, platform).catch((error) => {
    if (!isInlayError(error) || error.code !== 'PLATFORM_UNSUPPORTED') throw error;
    throw unsupported(base, error.message.replace(base.digest, 'it'));
  });
  const { manifest, manifestDigest, config } = image;
  if (config.os !== platform.os || config.architecture !== platform.architecture)
    throw unsupported(base, `it is for ${platformName(config)}, not for ${platformName(platform)}`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length || manifest.layers.length === 0)
    throw new InlayError('BASE_INVALID', `base: ${base.reference} has no layers, or not those that its config names`, {
      hint: 'Is it an image, and not an artifact of another kind?',
    });
  const note = join(cacheDir, 'bases', `${manifestDigest.replace(':', '-')}-2.json`);
  const facts = await noted(note, imageFactsSchema, () => readImageFacts(layout, image, platform));
  return {
    layers: manifest.layers.map(({ mediaType, digest, size }, i) => ({
      descriptor: { mediaType: OCI_NAME[mediaType] ?? mediaType, digest, size },
      diffId: diffIds[i] as string,
    })),
    config,
    facts,
  };
}

function unsupported({ reference }: PinnedImage, why: string): InlayError {
  return new InlayError('PLATFORM_UNSUPPORTED', `base: ${reference}: ${why}`, {
    hint: 'Name an image that has this platform, or build with --platform for one that it has.',
  });
}

/** @throws BASE_INVALID where Bun and ONNX Runtime would not run */
export function requireFit(base: PinnedImage, platform: Platform, facts: BaseImageFacts, needs: RuntimeNeeds): void {
  const unfit = whyUnfit(facts, needs);
  if (unfit)
    throw new InlayError(
      'BASE_INVALID',
      `base: ${base.reference} (${platformName(platform)}) cannot carry the server: ${unfit.why}`,
      { hint: `${unfit.hint} An opaque model (format: opaque) asks nothing of its base.` },
    );
}
