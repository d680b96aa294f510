import { createHash } from 'node:crypto';
import { InlayError } from '../error/index.ts';
import type { Attachments } from '../image/index.ts';
import { type CheckedPlatform, checkPlatform } from './check-platform.ts';
import type { VerifyingKey } from './key.ts';
import { isSignature, readSignatures, type Signatures } from './signatures.ts';

export interface VerifiedImage {
  readonly verified: true;
  readonly reference: string;
  readonly digest: string;
  readonly key: string;
  /** Signatures of the index (or of the manifest that the reference names): what is attached, by digest or tag. */
  readonly signatures: readonly string[];
  readonly platforms: readonly CheckedPlatform[];
  readonly notChecked: readonly string[];
}

const NOT_CHECKED = [
  'bytes of the layers: their digests are signed, and whoever pulls them checks them',
  'golden cases: the server replays them when it starts (inlay run)',
  'transparency logs and timestamps: the key is trusted, whenever it signed',
];

/**
 * Checks that a key signed the image that a reference names, and that what the image says of its model agrees: labels, annotations
 * and signed provenance. The signature of an index covers its platforms by their digests.
 * @throws SIGNATURE_MISSING, SIGNATURE_INVALID; CONTRACT_INVALID when a signed image contradicts itself; INTEGRITY_MISMATCH
 */
export async function verifyImage(attachments: Attachments, key: VerifyingKey): Promise<VerifiedImage> {
  const { root } = attachments;
  const rootBytes = await attachments.manifest(root.digest);
  if (!rootBytes || `sha256:${createHash('sha256').update(rootBytes).digest('hex')}` !== root.digest)
    throw new InlayError('INTEGRITY_MISMATCH', `${root.digest} has other bytes than its digest says`, {
      hint: 'Build or pull the image again.',
    });
  const found = await readSignatures(attachments, root.digest, key);
  const signatures = found.valid.filter(isSignature);
  if (signatures.length === 0) throw refusal(attachments.reference, found);
  const platforms: CheckedPlatform[] = [];
  const children = attachments.platforms.filter(({ platform }) => platform !== undefined);
  for (const one of children.length > 0 ? children : [root])
    platforms.push(await checkPlatform(attachments, one, found, key));
  return {
    verified: true,
    reference: attachments.reference,
    digest: root.digest,
    key: key.fingerprint,
    signatures: signatures.map(({ digest }) => digest),
    platforms,
    notChecked: NOT_CHECKED,
  };
}

function refusal(reference: string, { valid, invalid }: Signatures): InlayError {
  const [first] = invalid;
  if (first !== undefined)
    return new InlayError('SIGNATURE_INVALID', `${reference} is not signed by this key: ${first}`, {
      hint: 'Do not run it. Was it signed with another key, or changed since?',
    });
  return new InlayError(
    'SIGNATURE_MISSING',
    valid.length === 0 ? `${reference} has no signature` : `of ${reference} the key signed statements, not the image`,
    { hint: 'Sign it with inlay sign, or with cosign sign.' },
  );
}
