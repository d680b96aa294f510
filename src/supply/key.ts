import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InlayError } from '../error/index.ts';
import { openCosignKey } from './cosign-key.ts';

export interface VerifyingKey {
  readonly publicKey: KeyObject;
  /** Base64 of the SHA-256 of the public key (SPKI, DER): how bundles name it. */
  readonly fingerprint: string;
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject;
}

const COSIGN_PEM = /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([\s\S]+?)-----END/;

/**
 * A private key from a PEM file: cosign's (encrypted), or PKCS#8. ECDSA on P-256.
 * @param password for an encrypted key; undefined where none is given @throws KEY_INVALID
 */
export async function readSigningKey(path: string, password: string | undefined): Promise<SigningKey> {
  const pem = await readKeyFile(path);
  const privateKey = await privateKeyOf(pem, path, password);
  return { privateKey, ...verifying(createPublicKey(privateKey), path) };
}

/** A public key from a PEM file; a private PKCS#8 key has its public one in it. @throws KEY_INVALID */
export async function readPublicKey(path: string): Promise<VerifyingKey> {
  const pem = await readKeyFile(path);
  if (COSIGN_PEM.test(pem))
    throw invalid(path, 'it is a private key', 'Verify with the public key beside it, cosign.pub.');
  try {
    return verifying(createPublicKey(pem), path);
  } catch (cause) {
    if (cause instanceof InlayError) throw cause;
    throw invalid(path, 'it is not a public key in PEM', 'It begins with -----BEGIN PUBLIC KEY-----.', cause);
  }
}

async function privateKeyOf(pem: string, path: string, password: string | undefined): Promise<KeyObject> {
  const encrypted = COSIGN_PEM.exec(pem)?.[2];
  if (encrypted !== undefined) {
    const der = await openCosignKey(Buffer.from(encrypted.replace(/\s/g, ''), 'base64'), password ?? '');
    if (der) return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    throw invalid(
      path,
      password === undefined
        ? 'it has a password, and COSIGN_PASSWORD is not set'
        : 'it cannot be opened with COSIGN_PASSWORD',
      'Set COSIGN_PASSWORD to the password that cosign generate-key-pair asked for.',
    );
  }
  try {
    return createPrivateKey({ key: pem, ...(password ? { passphrase: password } : {}) });
  } catch (cause) {
    // What the library says may quote the file.
    throw invalid(
      path,
      'it is no private key that can be read',
      'Take the file that cosign generate-key-pair wrote, or PKCS#8 in PEM; a password goes into COSIGN_PASSWORD.',
      cause,
    );
  }
}

function verifying(publicKey: KeyObject, path: string): VerifyingKey {
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType !== 'ec' || curve !== 'prime256v1')
    throw invalid(
      path,
      `it is a key of ${publicKey.asymmetricKeyType} ${curve ?? ''}`.trim(),
      'Use ECDSA on P-256, as cosign generate-key-pair makes it.',
    );
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return { publicKey, fingerprint: createHash('sha256').update(der).digest('base64') };
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(path, 'the file cannot be read', 'Name a key file.', cause);
  }
}

function invalid(path: string, why: string, hint: string, cause?: unknown): InlayError {
  return new InlayError('KEY_INVALID', `the key ${path} cannot be used: ${why}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
