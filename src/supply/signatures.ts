import { isInlayError } from '../error/index.ts';
import { type Attachments, manifestSchema } from '../image/index.ts';
import { openBundle } from './bundle.ts';
import type { VerifyingKey } from './key.ts';
import { SIGN_PREDICATE } from './media-types.ts';
import { readDocument } from './read-document.ts';
import { signatureTag, simpleSignatures } from './simple-signing.ts';
import { isAbout, type Statement } from './statement.ts';

/** A statement that the key signed about a manifest. */
export interface SignedStatement {
  /** The digest of what is attached, or the tag that holds it. */
  readonly digest: string;
  /** Undefined for a signature in cosign's older way, which states nothing else. */
  readonly statement: Statement | undefined;
}

/** Whether it says "this image is signed", and not something about it. */
export function isSignature({ statement }: SignedStatement): boolean {
  return statement === undefined || statement.predicateType === SIGN_PREDICATE;
}

export interface Signatures {
  readonly valid: readonly SignedStatement[];
  /** Why others do not count. */
  readonly invalid: readonly string[];
}

/** Every bundle and signature attached to a manifest, held against a key. */
export async function readSignatures(attachments: Attachments, digest: string, key: VerifyingKey): Promise<Signatures> {
  const valid: SignedStatement[] = [];
  const invalid: string[] = [];
  for (const referrer of await attachments.referrers(digest)) {
    if (!referrer.artifactType?.startsWith('application/vnd.dev.sigstore.bundle')) continue;
    try {
      const statement = openBundle(await bundleOf(attachments, referrer.digest), key);
      if (isAbout(statement, digest)) valid.push({ digest: referrer.digest, statement });
      else invalid.push(`${referrer.digest}: it is about another image`);
    } catch (error) {
      // Anyone may attach anything: one that is broken must not hide one that is good.
      if (!isInlayError(error) || !REFUSED.includes(error.code)) throw error;
      invalid.push(`${referrer.digest}: ${error.message}`);
    }
  }
  const simple = await simpleSignatures(attachments, digest, key);
  if (simple.valid) valid.push({ digest: signatureTag(digest), statement: undefined });
  else if (simple.found > 0) invalid.push(`${signatureTag(digest)}: no signature in it is of this key and this image`);
  return { valid, invalid };
}

const REFUSED: readonly string[] = ['SIGNATURE_INVALID', 'INTEGRITY_MISMATCH', 'IMAGE_INVALID'];

/** The first layer of a manifest, which is where a bundle or an SBOM lies; empty where there is none. */
export async function bundleOf(attachments: Attachments, digest: string): Promise<Uint8Array> {
  const bytes = await attachments.manifest(digest);
  const layer = bytes && readDocument(manifestSchema, bytes, digest).layers[0];
  return layer === undefined ? new Uint8Array() : attachments.blob(layer);
}
