import { createHash } from 'node:crypto';
import { MEDIA_TYPE } from './media-types.ts';
import type { Descriptor } from './schema.ts';

/** A document of an artifact: small, as it is held in memory. */
export interface AttachedLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is attached to an image: a signature, an SBOM, where it comes from. */
export interface AttachedDocument {
  /** What kind of thing it is, for example `application/vnd.dev.sigstore.bundle.v0.3+json`. */
  readonly artifactType: string;
  readonly layers: readonly AttachedLayer[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface ArtifactManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** The config, which is empty, and the documents. */
  readonly blobs: readonly { readonly digest: string; readonly bytes: Uint8Array }[];
}

const EMPTY = new TextEncoder().encode('{}');

/**
 * The manifest that attaches documents to `subject` (image-spec, manifest.md, "Guidelines for Artifact Usage"). The same documents
 * give the same digest.
 */
export function artifactManifest(document: AttachedDocument, subject: Descriptor): ArtifactManifest {
  const { artifactType, annotations } = document;
  const layers: readonly AttachedLayer[] =
    document.layers.length > 0 ? document.layers : [{ mediaType: MEDIA_TYPE.empty, bytes: EMPTY }];
  const bytes = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType,
      config: descriptorOf(EMPTY, MEDIA_TYPE.empty),
      layers: layers.map((layer) => ({
        ...descriptorOf(layer.bytes, layer.mediaType),
        ...(layer.annotations ? { annotations: layer.annotations } : {}),
      })),
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      ...(annotations ? { annotations } : {}),
    }),
  );
  const blobs = new Map([EMPTY, ...layers.map((layer) => layer.bytes)].map((blob) => [digestOf(blob), blob] as const));
  return {
    descriptor: {
      ...descriptorOf(bytes, MEDIA_TYPE.manifest),
      artifactType,
      ...(annotations ? { annotations: { ...annotations } } : {}),
    },
    bytes,
    blobs: [...blobs].map(([digest, blob]) => ({ digest, bytes: blob })),
  };
}

function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
