import { createHash } from 'node:crypto';
import { InlayError } from '../../error/index.ts';
import { type AttachedDocument, artifactManifest } from './artifact.ts';
import type { Attachments } from './attachments.ts';
import type { OciLayout } from './layout.ts';
import { type Descriptor, indexSchema, manifestSchema } from './schema.ts';

/** The manifests of a layout that are attached to `subject`: index.json lists them without a name (image-layout.md). */
export async function referrersInLayout(layout: OciLayout, subject: string): Promise<Descriptor[]> {
  const { manifests } = await layout.index();
  const found: Descriptor[] = [];
  for (const descriptor of manifests.filter((one) => one.artifactType !== undefined)) {
    // One that was lost is no reason to fail: it is attached to nothing any more.
    const bytes = await layout.readBytes(descriptor.digest).catch(() => undefined);
    if (bytes && subjectOf(bytes) === subject) found.push(descriptor);
  }
  return found;
}

/**
 * Attaches documents to images of a layout.
 * @param only true where there is to be one of its kind: what was attached as the same kind before is let go
 */
export async function attachInLayout(
  layout: OciLayout,
  subject: Descriptor,
  document: AttachedDocument,
  { only = false }: { readonly only?: boolean } = {},
): Promise<string> {
  const { descriptor, bytes, blobs } = artifactManifest(document, subject);
  for (const blob of blobs) await layout.putBytes(blob.bytes, '');
  await layout.putBytes(bytes, descriptor.mediaType);
  const before = only
    ? (await referrersInLayout(layout, subject.digest)).filter((one) => one.artifactType === document.artifactType)
    : [];
  await layout.list(
    descriptor,
    before.map((one) => one.digest),
  );
  return descriptor.digest;
}

/** An image of a layout with what is attached to it. @throws IMAGE_NOT_FOUND, IMAGE_INVALID */
export async function attachmentsInLayout(layout: OciLayout, reference: string): Promise<Attachments> {
  const root = await layout.find(reference);
  const index = indexSchema.safeParse(json(await layout.readBytes(root.digest))).data;
  return {
    reference: reference.includes('@') ? reference : `${reference}@${root.digest}`,
    root,
    platforms: index?.manifests ?? [],
    referrers: (digest) => referrersInLayout(layout, digest),
    manifest: async (identifier) =>
      identifier.startsWith('sha256:') ? layout.readBytes(identifier).catch(() => undefined) : undefined,
    blob: async ({ digest }) => {
      const bytes = await layout.readBytes(digest);
      if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` === digest) return bytes;
      throw new InlayError('INTEGRITY_MISMATCH', `${digest} in ${layout.dir} has other bytes than its name says`, {
        hint: 'Build or pull the image again.',
      });
    },
    attach: (subject, document) => attachInLayout(layout, subject, document),
  };
}

function subjectOf(bytes: Uint8Array): string | undefined {
  return manifestSchema.safeParse(json(bytes)).data?.subject?.digest;
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
