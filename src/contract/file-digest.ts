import { InlayError } from '../error/index.ts';

/** A file by what is in it. */
export interface FileDigest {
  /** `sha256:…` */
  readonly digest: string;
  readonly sizeBytes: number;
}

/**
 * Tells a file's digest: `digestFile`, or what also remembers it.
 * @param name the file's path relative to the model's folder, or, absolute, its place in an image
 */
export type DigestFile = (path: string, name: string) => Promise<FileDigest>;

const CHUNK_BYTES = 2 ** 20;

/**
 * Reads a file piece by piece: the memory that this takes does not depend on its size.
 * @param take gets each piece, valid until it returns
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readPieces(
  path: string,
  take: (piece: Uint8Array) => void,
  range: { readonly offset: number; readonly length: number } = { offset: 0, length: Number.POSITIVE_INFINITY },
): Promise<void> {
  try {
    // When it is wanted: these are two milliseconds of a server's start, whose model is small more often than not.
    const { open } = await import('node:fs/promises');
    const file = await open(path);
    try {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, range.length));
      for (let done = 0; done < range.length; ) {
        const wanted = Math.min(buffer.length, range.length - done);
        const { bytesRead } = await file.read(buffer, 0, wanted, range.offset + done);
        if (bytesRead === 0) return;
        take(buffer.subarray(0, bytesRead));
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new InlayError(missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE', `cannot read ${path}`, {
      cause,
      hint: missing ? 'Check the path.' : 'Check its permissions.',
    });
  }
}

/** @throws FILE_NOT_FOUND, FILE_UNREADABLE */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = new Bun.CryptoHasher('sha256');
  let sizeBytes = 0;
  await readPieces(path, (piece) => {
    hash.update(piece);
    sizeBytes += piece.length;
  });
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}
