import type { OciLayout } from '../image/index.ts';
import type { SignedImage, SigningKey } from '../supply/index.ts';

export const SIGN = [
  '--sign <key>',
  'sign the image with this private key; its password from COSIGN_PASSWORD',
] as const;

/** The key of `--sign`, read before any work is done; its password comes from COSIGN_PASSWORD alone. @throws KEY_INVALID */
export async function signingKey(path: string | undefined): Promise<SigningKey | undefined> {
  if (path === undefined) return undefined;
  const { readSigningKey } = await import('../supply/index.ts');
  return readSigningKey(path, process.env.COSIGN_PASSWORD);
}

/** Signs an image of the local store, and what inlay said of it when it built it. */
export async function signInStore(layout: OciLayout, reference: string, key: SigningKey): Promise<SignedImage> {
  const { attachmentsInLayout } = await import('../image/index.ts');
  const { signImage } = await import('../supply/index.ts');
  return signImage(await attachmentsInLayout(layout, reference), key, { provenance: true });
}

export function describeSigned({ reference, key, signatures }: SignedImage): string {
  const made = signatures.filter(({ digest }) => digest !== undefined).length;
  return `signed    ${reference} with key ${key}: ${made} new, ${signatures.length - made} there`;
}
