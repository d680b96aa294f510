import { sign } from 'node:crypto';
import { bundleFromJSON, bundleToJSON, isBundleWithDsseEnvelope, toDSSEBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { InlayError } from '../error/index.ts';
import type { AttachedDocument } from '../image/index.ts';
import type { SigningKey, VerifyingKey } from './key.ts';
import { IN_TOTO, SIGSTORE_BUNDLE } from './media-types.ts';
import { parseStatement, type Statement } from './statement.ts';

/**
 * A statement signed, as cosign attaches it (cosign, BUNDLE_SPEC.md): a DSSE envelope in a Sigstore bundle v0.3, without a
 * transparency log.
 */
export function signedDocument(statement: Uint8Array, predicateType: string, key: SigningKey): AttachedDocument {
  const artifact = Buffer.from(statement);
  const signature = sign('sha256', dsse.preAuthEncoding(IN_TOTO, artifact), key.privateKey);
  const bundle = toDSSEBundle({ artifact, artifactType: IN_TOTO, signature, keyHint: key.fingerprint });
  // Go's DSSE verifiers pass over a signature whose keyid is not their own name for the key; cosign leaves it empty.
  for (const one of bundle.content.dsseEnvelope.signatures) one.keyid = '';
  const bytes = new TextEncoder().encode(JSON.stringify(bundleToJSON(bundle)));
  return {
    artifactType: SIGSTORE_BUNDLE,
    layers: [{ mediaType: SIGSTORE_BUNDLE, bytes }],
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  };
}

/**
 * The statement in a bundle, whose signature is of this key. What a transparency log or a timestamp authority says of it is not
 * looked at: the key is trusted, whenever it signed.
 * @throws SIGNATURE_INVALID
 */
export function openBundle(bytes: Uint8Array, key: VerifyingKey): Statement {
  const bundle = parseBundle(bytes);
  if (!isBundleWithDsseEnvelope(bundle) || bundle.content.dsseEnvelope.payloadType !== IN_TOTO)
    throw new InlayError('SIGNATURE_INVALID', 'the bundle holds no in-toto statement');
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: () => ({ publicKey: key.publicKey, validFor: () => true }),
    },
    { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 },
  );
  try {
    // The key is ours, not that which the bundle names: a certificate in it would be trusted by nobody here.
    const entity = toSignedEntity(bundle);
    verifier.verify({ ...entity, key: { $case: 'public-key', hint: '' }, timestamps: [], tlogEntries: [] });
  } catch (cause) {
    throw new InlayError('SIGNATURE_INVALID', 'the signature is not of this key, or what is signed was changed', {
      cause,
    });
  }
  return parseStatement(bundle.content.dsseEnvelope.payload);
}

function parseBundle(bytes: Uint8Array) {
  try {
    return bundleFromJSON(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new InlayError('SIGNATURE_INVALID', 'what is attached as a bundle is none', { cause });
  }
}
