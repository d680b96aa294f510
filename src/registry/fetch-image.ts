import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Descriptor, indexSchema, manifestSchema, type OciLayout, type Platform } from '../image/index.ts';
import { downloadBlob, readBlob } from './blob/download.ts';
import { walkImage } from './image-graph.ts';
import { type Manifest, requireManifest } from './manifest/manifests.ts';
import { jsonOf } from './manifest/tags.ts';
import { DEFAULTS } from './options.ts';
import { Meter, type OnProgress } from './progress.ts';
import { type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

export interface FetchOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  readonly from: ImageReference;
  /** Platforms whose layers are fetched too; none when left out. */
  readonly layersFor?: readonly Platform[];
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches an image into a layout without a name: its manifests and configs, a few kilobytes, and the layers of some of its platforms.
 * What is there already is not fetched again.
 * @returns the digest of the index or the one manifest @throws REGISTRY_NOT_FOUND, INTEGRITY_MISMATCH, and those of every request
 */
export async function fetchImage(options: FetchOptions): Promise<string> {
  const { registry, layout, from, layersFor = [], signal } = options;
  const repository = registry.open(from, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(from));
  const graph = await walkImage(root, ({ digest }) => requireManifest(repository, digest));
  const all = [...graph.children, root];
  const manifests = all.flatMap(({ bytes }) => manifestSchema.safeParse(jsonOf(bytes)).data ?? []);
  for (const { config } of manifests) if (!(await layout.holds(config))) await fetchConfig(repository, layout, config);
  const meter = new Meter(options.onProgress);
  const missing: Descriptor[] = [];
  for (const layer of layersOf(root, all, layersFor)) if (!(await layout.holds(layer))) missing.push(layer);
  for (const { size } of missing) meter.expect(size);
  const limit = pLimit(registry.options.concurrency ?? DEFAULTS.concurrency);
  const failures: unknown[] = [];
  const fetchLayer = async (layer: Descriptor) => {
    if (failures.length > 0) return;
    await downloadBlob(repository, layer, layout.blobPath(layer.digest), {
      temporaryDir: join(layout.dir, 'blobs'),
      onBytes: (count) => meter.moved(count),
    });
    meter.finished(layer.digest, layer.size, 'sent');
  };
  await Promise.all(missing.map((layer) => limit(() => fetchLayer(layer).catch((error) => failures.push(error)))));
  if (failures.length > 0) throw failures[0];
  for (const manifest of all) await layout.putBytes(manifest.bytes, manifest.descriptor.mediaType);
  return root.descriptor.digest;
}

/** The layers of an image's platforms, each once; of an image without an index, its own. */
function layersOf(root: Manifest, all: readonly Manifest[], platforms: readonly Platform[]): Descriptor[] {
  if (platforms.length === 0) return [];
  const index = indexSchema.safeParse(jsonOf(root.bytes)).data;
  const wanted = index?.manifests
    .filter(({ platform }) =>
      platforms.some(({ os, architecture }) => os === platform?.os && architecture === platform.architecture),
    )
    .map(({ digest }) => digest) ?? [root.descriptor.digest];
  const layers = all
    .filter(({ descriptor }) => wanted.includes(descriptor.digest))
    .flatMap(({ bytes }) => manifestSchema.safeParse(jsonOf(bytes)).data?.layers ?? []);
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

async function fetchConfig(repository: Repository, layout: OciLayout, config: Descriptor): Promise<void> {
  const put = await layout.putStream(readBlob(repository, config), config.mediaType);
  if (put.digest !== config.digest)
    throw repository.failure(
      'INTEGRITY_MISMATCH',
      `reading ${config.digest}`,
      `the bytes have the digest ${put.digest}`,
      {
        hint: `The copy in ${repository.host} is damaged: push the image again.`,
      },
    );
}
