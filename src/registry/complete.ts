import { join } from 'node:path';
import pLimit from 'p-limit';
import { isInlayError } from '../error/index.ts';
import type { OciLayout } from '../image/index.ts';
import { downloadBlob } from './blob/download.ts';
import { graphInLayout } from './image-graph.ts';
import { DEFAULTS } from './options.ts';
import { Meter, type OnProgress } from './progress.ts';
import { pullImage } from './pull.ts';
import { registryReference } from './reference.ts';
import type { Registry } from './registry.ts';

export interface CompleteOptions {
  readonly registry: Registry;
  readonly layout: OciLayout;
  /** A name in the layout, or of an image in a registry. */
  readonly reference: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Has an image whole in the layout: pulls it where the layout does not know it, and fetches layers of a base that lie in a registry
 * still. Asks no registry where nothing is missing.
 * @throws IMAGE_NOT_FOUND for a name without a registry, IMAGE_INVALID, REGISTRY_NOT_FOUND, INTEGRITY_MISMATCH
 */
export async function completeImage(options: CompleteOptions): Promise<void> {
  const { registry, layout, reference, onProgress, signal } = options;
  const graph = await graphInLayout(layout, reference).catch((error) => {
    if (isInlayError(error) && error.code === 'IMAGE_NOT_FOUND') return error;
    throw error;
  });
  if (graph instanceof Error) {
    const from = registryReference(reference);
    if (!from) throw graph;
    await pullImage({ registry, layout, from, name: reference, onProgress, signal });
    return;
  }
  const meter = new Meter(onProgress);
  const limit = pLimit(registry.options.concurrency ?? DEFAULTS.concurrency);
  const missing = graph.blobs.flatMap((blob) => {
    const lies = graph.elsewhere.get(blob.digest);
    return lies ? [{ blob, lies }] : [];
  });
  for (const { blob } of missing) meter.expect(blob.size);
  const failures: unknown[] = [];
  await Promise.all(
    missing.map(({ blob, lies }) =>
      limit(async () => {
        if (failures.length > 0) return;
        await downloadBlob(registry.open(lies, { actions: ['pull'], signal }), blob, layout.blobPath(blob.digest), {
          temporaryDir: join(layout.dir, 'blobs'),
          onBytes: (count) => meter.moved(count),
        });
        meter.finished(blob.digest, blob.size, 'sent');
      }).catch((error) => failures.push(error)),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
