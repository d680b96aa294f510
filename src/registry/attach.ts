import { MEDIA_TYPE } from '../image/index.ts';
import { bytesBlob } from './blob/blob-source.ts';
import { uploadBlob } from './blob/upload.ts';
import { digestOf, parseManifest, requireManifest } from './manifest/manifests.ts';
import { putReferrer } from './manifest/referrers.ts';
import { formatReference, type ImageReference, identifierOf } from './reference.ts';
import type { Registry } from './registry.ts';

/** A document to attach: small, as it is held in memory. */
export interface AttachedLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AttachOptions {
  readonly registry: Registry;
  /** The image, index or manifest that it is about. */
  readonly subject: ImageReference;
  /** What kind of thing it is, for example `application/vnd.dev.sigstore.bundle.v0.3+json`. */
  readonly artifactType: string;
  readonly layers: readonly AttachedLayer[];
  readonly annotations?: Readonly<Record<string, string>>;
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
  const { registry, subject, artifactType, layers, annotations, signal } = options;
  const repository = registry.open(subject, { actions: ['pull', 'push'], signal });
  const { mediaType, digest, size } = (await requireManifest(repository, identifierOf(subject))).descriptor;
  const empty = new TextEncoder().encode('{}');
  const parts = layers.length > 0 ? layers : [{ mediaType: MEDIA_TYPE.empty, bytes: empty }];
  const blobs = new Map([empty, ...parts.map(({ bytes }) => bytes)].map((bytes) => [digestOf(bytes), bytes]));
  for (const [blob, bytes] of blobs) await uploadBlob(repository, bytesBlob(blob, bytes));
  const bytes = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType,
      config: { mediaType: MEDIA_TYPE.empty, digest: digestOf(empty), size: empty.byteLength },
      layers: parts.map((layer) => ({
        mediaType: layer.mediaType,
        digest: digestOf(layer.bytes),
        size: layer.bytes.byteLength,
        ...('annotations' in layer && layer.annotations ? { annotations: layer.annotations } : {}),
      })),
      subject: { mediaType, digest, size },
      ...(annotations ? { annotations } : {}),
    }),
  );
  const manifest = parseManifest(bytes);
  // Made two lines above.
  if (!manifest) throw new TypeError('not a manifest');
  await putReferrer(repository, manifest, digest);
  return {
    reference: formatReference({ ...subject, digest: manifest.descriptor.digest }),
    digest: manifest.descriptor.digest,
    subject: digest,
  };
}
