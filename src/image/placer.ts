import { join } from 'node:path';
import { LAYER_FORMAT, writeLayer } from './layer/layer.ts';
import { cachedLayer } from './layer/layer-cache.ts';
import type { TarEntry } from './layer/tar.ts';
import type { OciLayout } from './oci/layout.ts';
import type { Platform } from './oci/schema.ts';
import type { ComposeOptions, LayerKind, PlacedLayer } from './shared-layers.ts';

/** Puts layers of inlay's own making in their place, made once. */
export function placer(layout: OciLayout, platform: Platform, options: ComposeOptions) {
  const { home, compression, epochS: mtimeS, onProgress } = options;
  return async (
    kind: LayerKind,
    contents: string,
    part: { readonly key: string; readonly entries: () => Promise<readonly TarEntry[]> },
  ): Promise<PlacedLayer> => {
    const key = [LAYER_FORMAT, kind, platform.architecture, compression, mtimeS, part.key].join('\n');
    const layer = await cachedLayer(layout, join(home, 'cache', 'layers'), key, async () => {
      onProgress?.({ step: kind, message: `composing ${contents}` });
      return writeLayer(layout, await part.entries(), { compression, mtimeS });
    });
    return { ...layer, kind, contents };
  };
}
