import type { AttachedDocument } from './artifact.ts';
import type { Descriptor } from './schema.ts';

/** An image where it lies, in a layout or in a registry, with what is attached to it. */
export interface Attachments {
  /** How people name the image, with its digest. */
  readonly reference: string;
  /** What the reference names: an index, or a manifest. */
  readonly root: Descriptor;
  /** The manifests of the index; none where the reference names a manifest. */
  readonly platforms: readonly Descriptor[];
  /** What is attached to one of them. */
  referrers(digest: string): Promise<readonly Descriptor[]>;
  /** A manifest's bytes by digest, or by a tag of the same repository; undefined where there is none. */
  manifest(identifier: string): Promise<Uint8Array | undefined>;
  /** A small blob, checked against its digest. @throws INTEGRITY_MISMATCH, IMAGE_INVALID */
  blob(descriptor: Descriptor): Promise<Uint8Array>;
  /** Attaches a document. @returns the digest of what is attached */
  attach(subject: Descriptor, document: AttachedDocument): Promise<string>;
}
