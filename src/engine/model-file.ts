import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InlayError } from '../error/index.ts';

/**
 * Reads a model file and checks that it is the one the contract was made for.
 * @param digest `sha256:…` @throws FILE_NOT_FOUND, FILE_UNREADABLE, INTEGRITY_MISMATCH
 */
export async function readModel(path: string, digest: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new InlayError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', `cannot read the model ${path}`, {
      cause,
      hint: 'Check MODEL_FILEPATH.',
    });
  }
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (found !== digest) {
    throw new InlayError(
      'INTEGRITY_MISMATCH',
      `${path} is not the model of its contract: its digest is ${found}, the contract's ${digest}`,
      {
        hint: 'The file was changed after the build. Build the image again.',
      },
    );
  }
  return bytes;
}
