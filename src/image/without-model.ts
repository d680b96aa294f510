import { type BuiltImage, builtLayer } from './build.ts';
import { baseAnnotations } from './facts.ts';
import type { OciLayout } from './oci/layout.ts';
import { MEDIA_TYPE } from './oci/media-types.ts';
import type { Descriptor, ImageIndex, Platform } from './oci/schema.ts';
import { type ImageParts, putImage } from './put-image.ts';
import type { ComposeOptions } from './shared-layers.ts';

type Own = Pick<ImageParts, 'layers' | 'under' | 'program' | 'labels'>;

/** Writes an image that has no model, an index over its platforms; naming it is the caller's. @param own what is one platform's */
export async function putWithoutModel(
  layout: OciLayout,
  options: ComposeOptions & { readonly platforms: readonly Platform[] },
  own: (platform: Platform) => Promise<Own>,
): Promise<{ readonly descriptor: Descriptor; readonly platforms: BuiltImage['platforms'] }> {
  const manifests: Descriptor[] = [];
  const platforms: BuiltImage['platforms'][number][] = [];
  const annotations = baseAnnotations(options.base);
  for (const platform of options.platforms) {
    const parts = await own(platform);
    const common = { platform, env: {}, workingDir: '/', annotations, epochS: options.epochS };
    const manifest = await putImage(layout, { ...common, ...parts });
    manifests.push(manifest);
    platforms.push({
      platform: `${platform.os}/${platform.architecture}`,
      digest: manifest.digest,
      sizeBytes: parts.layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
      layers: parts.layers.map(builtLayer),
    });
  }
  const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  return { descriptor: await layout.putJson(index, MEDIA_TYPE.index), platforms };
}
