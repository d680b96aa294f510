import { verify } from 'node:crypto';
import { z } from 'zod';
import { type Attachments, manifestSchema } from '../image/index.ts';
import type { VerifyingKey } from './key.ts';

const MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';

const payloadSchema = z.object({
  critical: z.object({
    type: z.string(),
    image: z.object({ 'docker-manifest-digest': z.string() }),
  }),
});

/** The tag that holds a manifest's signatures in cosign's older way (cosign, SIGNATURE_SPEC.md). */
export function signatureTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`;
}

export interface SimpleSignatures {
  /** How many there are, of whatever key. */
  readonly found: number;
  /** Whether one of them is of the key and about the manifest. */
  readonly valid: boolean;
}

/** Signatures as cosign made them before bundles: a tag beside the image, the signature in an annotation of each layer. */
export async function simpleSignatures(
  attachments: Attachments,
  digest: string,
  key: VerifyingKey,
): Promise<SimpleSignatures> {
  const bytes = await attachments.manifest(signatureTag(digest));
  const manifest = bytes && manifestSchema.safeParse(json(bytes)).data;
  const layers = (manifest?.layers ?? []).filter((layer) => layer.mediaType === MEDIA_TYPE);
  for (const layer of layers) {
    const signature = Buffer.from(layer.annotations?.[SIGNATURE] ?? '', 'base64');
    const payload = await attachments.blob(layer);
    if (!verify('sha256', payload, key.publicKey, signature)) continue;
    const said = payloadSchema.safeParse(json(payload)).data?.critical;
    // The type is signed too: a key may sign other documents.
    if (said?.type === 'cosign container image signature' && said.image['docker-manifest-digest'] === digest)
      return { found: layers.length, valid: true };
  }
  return { found: layers.length, valid: false };
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
