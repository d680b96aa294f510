import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InlayError } from '../error/index.ts';
import { LABEL_PREFIX } from './facts.ts';
import { decompressed } from './layer/decompressed.ts';
import { readTar } from './layer/read-tar.ts';
import { modelFilePath } from './model-files.ts';
import type { OciLayout } from './oci/layout.ts';
import type { ImageManifest } from './oci/schema.ts';

/**
 * Writes the files of an image's ONNX model into a folder, as they lie in the image's own.
 * @returns false where not all of its layers are in the store @throws IMAGE_INVALID
 */
export async function unpackModel(layout: OciLayout, manifest: ImageManifest, dir: string): Promise<boolean> {
  const layers = manifest.layers.filter((layer) => layer.annotations?.[`${LABEL_PREFIX}layer`] === 'model');
  for (const layer of layers) if (!(await layout.has(layer))) return false;
  const root = modelFilePath('');
  for (const layer of layers) {
    for await (const { header, content } of readTar(decompressed(layout.stream(layer), layer.mediaType))) {
      if (header.type !== 'file') continue;
      const parts = header.name.startsWith(root) ? header.name.slice(root.length).split('/') : [''];
      if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
        throw new InlayError(
          'IMAGE_INVALID',
          `a model layer has ${JSON.stringify(header.name)}, which is no file of a model`,
        );
      const path = join(dir, ...parts);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(content, createWriteStream(path, { flags: 'wx' }));
    }
  }
  return layers.length > 0;
}
