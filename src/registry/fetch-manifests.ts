import type { OciLayout } from '../image/index.ts';
import { readBlob } from './blob/download.ts';
import { walkImage } from './image-graph.ts';
import { requireManifest } from './manifest/manifests.ts';
import { jsonOf } from './manifest/tags.ts';
import { type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

export interface FetchOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  readonly from: ImageReference;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches an image's manifests and configs into a layout, a few kilobytes, and none of its layers.
 * @returns the digest of the index or the one manifest @throws REGISTRY_NOT_FOUND, INTEGRITY_MISMATCH, and those of every request
 */
export async function fetchManifests({ registry, layout, from, signal }: FetchOptions): Promise<string> {
  const repository = registry.open(from, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(from));
  const graph = await walkImage(root, ({ digest }) => requireManifest(repository, digest));
  const all = [...graph.children, root];
  const configs = new Set(
    all.map(({ bytes }) => (jsonOf(bytes) as { config?: { digest?: string } } | undefined)?.config?.digest),
  );
  for (const blob of graph.blobs) {
    if (!configs.has(blob.digest) || (await layout.has(blob))) continue;
    const put = await layout.putStream(readBlob(repository, blob), blob.mediaType);
    if (put.digest !== blob.digest)
      throw repository.failure(
        'INTEGRITY_MISMATCH',
        `reading ${blob.digest}`,
        `the bytes have the digest ${put.digest}`,
        {
          hint: `The copy in ${repository.host} is damaged: push the image again.`,
        },
      );
  }
  for (const manifest of all) await layout.putBytes(manifest.bytes, manifest.descriptor.mediaType);
  return root.descriptor.digest;
}
