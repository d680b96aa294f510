import { createHash } from 'node:crypto';
import type { OciLayout } from '../oci/layout.ts';
import type { Descriptor } from '../oci/schema.ts';
import { type Compression, compressed, LAYER_MEDIA_TYPE } from './compression.ts';
import { type TarEntry, type TarOptions, tarStream } from './tar.ts';

/** Part of every layer's cache key: changes whenever the same entries would give other bytes. */
export const LAYER_FORMAT = 'layer format 1';

export interface Layer {
  readonly descriptor: Descriptor;
  /** Digest of the tar before compression (OCI image configuration, rootfs.diff_ids). */
  readonly diffId: string;
}

/**
 * Writes entries as a layer into a layout, in one pass and constant memory.
 * @throws IMAGE_INVALID
 */
export async function writeLayer(
  layout: OciLayout,
  entries: readonly TarEntry[],
  options: TarOptions & { readonly compression: Compression },
): Promise<Layer> {
  if (options.compression === 'none') {
    const descriptor = await layout.putStream(tarStream(entries, options), LAYER_MEDIA_TYPE.none);
    return { descriptor, diffId: descriptor.digest };
  }
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of tarStream(entries, options)) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const descriptor = await layout.putStream(
    compressed(hashed(), options.compression),
    LAYER_MEDIA_TYPE[options.compression],
  );
  return { descriptor, diffId: `sha256:${hash.digest('hex')}` };
}
