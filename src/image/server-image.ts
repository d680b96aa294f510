import { type BuiltImage, builtLayer, storeDir } from './build.ts';
import { baseAnnotations, serverLabels } from './facts.ts';
import { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageIndex, Platform } from './oci/schema.ts';
import { putImage } from './put-image.ts';
import { type ComposeOptions, composeShared } from './shared-layers.ts';

export interface ServerImageOptions extends ComposeOptions {
  /** What it is called in the store. */
  readonly reference: string;
  readonly platforms: readonly Platform[];
}

/**
 * Builds the part that all models of a team share, base, runtime and server, as an image of its own: its layers are byte for byte
 * those that `buildImage` composes. @throws as buildImage
 */
export async function buildServerImage(options: ServerImageOptions): Promise<BuiltImage> {
  const layout = await OciLayout.open(storeDir(options.home));
  const manifests: Descriptor[] = [];
  const platforms: BuiltImage['platforms'][number][] = [];
  for (const platform of options.platforms) {
    const { layers, facts, materials, under } = await composeShared(layout, platform, options);
    const labels = serverLabels(facts, materials, options.inlayVersion);
    const annotations = baseAnnotations(options.base);
    const parts = { platform, layers, under, env: {}, workingDir: '/', labels, annotations, epochS: options.epochS };
    const manifest = await putImage(layout, { ...parts, program: 'server' });
    manifests.push(manifest);
    platforms.push({
      platform: `${platform.os}/${platform.architecture}`,
      digest: manifest.digest,
      sizeBytes: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
      layers: layers.map(builtLayer),
    });
  }
  const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  const descriptor = await layout.putJson(index, MEDIA_TYPE.index);
  await layout.tag(options.reference, descriptor);
  return { reference: options.reference, digest: descriptor.digest, platforms };
}
