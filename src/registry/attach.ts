import { type AttachedDocument, artifactManifest, type Descriptor } from '../image/index.ts';
import { bytesBlob } from './blob/blob-source.ts';
import { uploadBlob } from './blob/upload.ts';
import { parseManifest, requireManifest } from './manifest/manifests.ts';
import { putReferrer } from './manifest/referrers.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

export interface AttachOptions extends AttachedDocument {
  readonly registry: Registry;
  /** The image, index or manifest that it is about. */
  readonly subject: ImageReference;
  readonly signal?: AbortSignal | undefined;
}

export interface AttachResult {
  readonly reference: string;
  /** Of the referrer. */
  readonly digest: string;
  readonly subject: string;
}

/**
 * Attaches documents to an image as a referrer (image-spec, manifest.md, `subject`). In a registry without the referrers API it is
 * listed in the tag that stands in for it. The same documents give the same digest: attaching twice changes nothing.
 * @throws REGISTRY_NOT_FOUND when there is no such subject
 */
export async function attachReferrer(options: AttachOptions): Promise<AttachResult> {
  const { registry, subject, signal } = options;
  const repository = registry.open(subject, { actions: ['pull', 'push'], signal });
  const { descriptor } = await requireManifest(repository, identifierOf(subject));
  const digest = await attachTo(repository, options, descriptor);
  return { reference: formatReference({ ...subject, digest }), digest, subject: descriptor.digest };
}

/** Attaches a document to a manifest of the repository. @returns the digest of what is attached */
export async function attachTo(
  repository: Repository,
  document: AttachedDocument,
  subject: Descriptor,
): Promise<string> {
  const artifact = artifactManifest(document, subject);
  for (const { digest, bytes } of artifact.blobs) await uploadBlob(repository, bytesBlob(digest, bytes));
  const manifest = parseManifest(artifact.bytes);
  // Made two lines above.
  if (!manifest) throw new TypeError('not a manifest');
  await putReferrer(repository, manifest, subject.digest);
  return manifest.descriptor.digest;
}
