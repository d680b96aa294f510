import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { z } from 'zod';

const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const schema = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    params: z.object({ N: z.int(), r: z.literal(8), p: z.literal(1) }),
    salt: base64,
  }),
  cipher: z.object({ name: z.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

/** The strengths that cosign writes; others would let a file take all memory (go-securesystemslib, encrypted). */
const KNOWN_N = [2 ** 15, 2 ** 16, 2 ** 17];

/**
 * Opens a private key as `cosign generate-key-pair` writes it: PEM around JSON, scrypt and NaCl's secretbox around PKCS#8.
 * @param body the bytes inside the PEM block @returns PKCS#8, DER; undefined when the password is wrong or the file damaged
 */
export async function openCosignKey(body: Uint8Array, password: string): Promise<Uint8Array | undefined> {
  let text: unknown;
  try {
    text = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(text).data;
  if (!parsed || !KNOWN_N.includes(parsed.kdf.params.N) || parsed.cipher.nonce.byteLength !== 24) return undefined;
  const { N, r, p } = parsed.kdf.params;
  const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt);
  const key = await derive(password, parsed.kdf.salt, 32, { N, r, p, maxmem: 256 * N * r });
  try {
    return xsalsa20poly1305(key, parsed.cipher.nonce).decrypt(parsed.ciphertext);
  } catch {
    return undefined;
  }
}
