import type { Attachments } from '../image/index.ts';
import { attachTo } from './attach.ts';
import { readSmallBlob } from './blob/small.ts';
import { getManifest, requireManifest } from './manifest/manifests.ts';
import { readReferrers } from './manifest/referrers.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

/**
 * An image of a registry with what is attached to it, read and written with one login.
 * @throws REGISTRY_NOT_FOUND when there is no such image, and those of every request
 */
export async function attachmentsInRegistry(options: {
  readonly registry: Registry;
  readonly reference: ImageReference;
  /** Whether something will be attached. */
  readonly write: boolean;
  readonly signal?: AbortSignal | undefined;
}): Promise<Attachments> {
  const { registry, reference, write, signal } = options;
  const repository = registry.open(reference, { actions: write ? ['pull', 'push'] : ['pull'], signal });
  const root = await requireManifest(repository, identifierOf(reference));
  return {
    reference: formatReference({ ...reference, digest: root.descriptor.digest }),
    root: root.descriptor,
    platforms: root.manifests,
    referrers: async (digest) => (await readReferrers(repository, digest)).referrers,
    manifest: async (identifier) => (await getManifest(repository, identifier))?.bytes,
    blob: (descriptor) => readSmallBlob(repository, descriptor),
    attach: (subject, document) => attachTo(repository, document, subject),
  };
}
