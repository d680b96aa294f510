import { join } from 'node:path';
import pLimit from 'p-limit';
import type { OciLayout } from '../image/index.ts';
import { downloadBlob } from './blob/download.ts';
import { walkImage } from './image-graph.ts';
import { requireManifest } from './manifest/manifests.ts';
import { DEFAULTS } from './options.ts';
import { Meter, type OnProgress } from './progress.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

export interface PullOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  readonly from: ImageReference;
  /** What the image is called in the layout. */
  readonly name: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PullResult {
  readonly reference: string;
  readonly digest: string;
  readonly downloaded: readonly string[];
  /** What the layout had already. */
  readonly existing: readonly string[];
  /** Of the blobs that were downloaded. */
  readonly receivedBytes: number;
}

/**
 * Pulls an image with all its platforms into a layout. Every byte is checked against its digest; the image gets its name last, so
 * that what has a name is whole.
 * @throws REGISTRY_NOT_FOUND, INTEGRITY_MISMATCH, INTERRUPTED, IMAGE_INVALID for what was pruned meanwhile, and those of every request
 */
export async function pullImage(options: PullOptions): Promise<PullResult> {
  const { registry, layout, from, signal } = options;
  const repository = registry.open(from, { actions: ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(from));
  const graph = await walkImage(root, ({ digest }) => requireManifest(repository, digest));
  const meter = new Meter(options.onProgress);
  const downloaded: string[] = [];
  const existing: string[] = [];
  const limit = pLimit(registry.options.concurrency ?? DEFAULTS.concurrency);
  for (const blob of graph.blobs) meter.expect(blob.size);
  const failures: unknown[] = [];
  await Promise.all(
    graph.blobs.map((blob) =>
      limit(async () => {
        if (failures.length > 0) return;
        if (await layout.holds(blob)) {
          existing.push(blob.digest);
          meter.finished(blob.digest, blob.size, 'there');
          return;
        }
        await downloadBlob(repository, blob, layout.blobPath(blob.digest), {
          temporaryDir: join(layout.dir, 'blobs'),
          onBytes: (count) => meter.moved(count),
        });
        downloaded.push(blob.digest);
        meter.finished(blob.digest, blob.size, 'sent');
      }).catch((error) => failures.push(error)),
    ),
  );
  if (failures.length > 0) throw failures[0];
  for (const manifest of [...graph.children, root])
    await layout.putBytes(manifest.bytes, manifest.descriptor.mediaType);
  await layout.tag(options.name, root.descriptor, graph.blobs);
  const sizes = new Map(graph.blobs.map((blob) => [blob.digest, blob.size]));
  return {
    reference: formatReference({ ...from, digest: root.descriptor.digest }),
    digest: root.descriptor.digest,
    downloaded,
    existing,
    receivedBytes: downloaded.reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0),
  };
}
