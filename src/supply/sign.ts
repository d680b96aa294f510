import type { Attachments, Descriptor } from '../image/index.ts';
import { signedDocument } from './bundle.ts';
import type { SigningKey } from './key.ts';
import { IN_TOTO, SIGN_PREDICATE, SLSA_PREDICATE } from './media-types.ts';
import { bundleOf, readSignatures } from './signatures.ts';
import { digestSet, isAbout, parseStatement, serializeStatement } from './statement.ts';

export interface SignedImage {
  readonly reference: string;
  readonly digest: string;
  /** Of the key: base64 of the SHA-256 of its public half. */
  readonly key: string;
  readonly signatures: readonly {
    /** Digest of the index or manifest that is signed. */
    readonly subject: string;
    readonly predicateType: string;
    /** Of what was attached; undefined where the key had signed it before. */
    readonly digest?: string;
  }[];
}

/**
 * Signs an image, its index and each of its platforms, and attaches the signatures. What the key has signed already is left.
 * @param provenance true to sign what is attached as provenance too: only for an image of the local store, where inlay itself wrote
 * it. In a registry anybody who may push could have attached it.
 */
export async function signImage(
  attachments: Attachments,
  key: SigningKey,
  { provenance }: { readonly provenance: boolean },
): Promise<SignedImage> {
  const signatures: SignedImage['signatures'][number][] = [];
  for (const subject of [...attachments.platforms, attachments.root]) {
    const { valid } = await readSignatures(attachments, subject.digest, key);
    const statements = [
      {
        predicateType: SIGN_PREDICATE,
        bytes: serializeStatement([{ digest: digestSet(subject.digest) }], SIGN_PREDICATE, {}),
      },
      ...(provenance ? await provenanceOf(attachments, subject) : []),
    ];
    for (const { predicateType, bytes } of statements) {
      const said = JSON.stringify(parseStatement(bytes));
      const before = valid.some(({ statement }) => statement && JSON.stringify(statement) === said);
      const digest = before ? undefined : await attachments.attach(subject, signedDocument(bytes, predicateType, key));
      signatures.push({ subject: subject.digest, predicateType, ...(digest === undefined ? {} : { digest }) });
    }
  }
  return {
    reference: attachments.reference,
    digest: attachments.root.digest,
    key: key.fingerprint,
    signatures,
  };
}

async function provenanceOf(attachments: Attachments, subject: Descriptor) {
  const found = [];
  for (const referrer of await attachments.referrers(subject.digest)) {
    if (referrer.artifactType !== IN_TOTO) continue;
    const bytes = await bundleOf(attachments, referrer.digest);
    const statement = parseStatement(bytes);
    if (statement.predicateType === SLSA_PREDICATE && isAbout(statement, subject.digest))
      found.push({ predicateType: SLSA_PREDICATE, bytes });
  }
  return found;
}
