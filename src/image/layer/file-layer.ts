import { stat } from 'node:fs/promises';
import type { OciLayout } from '../oci/layout.ts';
import { type Layer, writeLayer } from './layer.ts';
import type { TarOptions } from './tar.ts';

/**
 * Writes one file as a layer of its own, a plain tar: read once, and hashed both as itself and as a layer on the way.
 * @param source the file on this machine @param path where it lies in the image, relative
 * @param options.inside folders above this path are not added
 * @returns the layer, and the digest of the file @throws IMAGE_INVALID when the file changes meanwhile
 */
export async function writeFileLayer(
  layout: OciLayout,
  source: string,
  path: string,
  options: TarOptions,
): Promise<{ readonly layer: Layer; readonly digest: string; readonly sizeBytes: number }> {
  const { size } = await stat(source);
  let digest = '';
  const content = {
    path: source,
    size,
    onDigest: (found: string) => {
      digest = found;
    },
  };
  const layer = await writeLayer(layout, [{ path, type: 'file', mode: 0o644, content }], {
    ...options,
    compression: 'none',
  });
  return { layer, digest, sizeBytes: size };
}
