import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FileDigest } from '../contract/index.ts';

const noteSchema = z.object({
  schemaVersion: z.literal(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  sizeBytes: z.int().nonnegative(),
});

/**
 * A file as the system knows it, without a look inside: device, inode, size, and the times of its last change of content and of
 * anything, in nanoseconds. Whoever writes to the file changes the stamp; nobody can set ctime.
 */
export interface FileStamp {
  readonly key: string;
  readonly size: number;
  readonly changedAtMs: number;
}

export async function stampOf(path: string): Promise<FileStamp> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return {
    key: [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    size: Number(size),
    changedAtMs: Number(newest / 1_000_000n),
  };
}

/** Two writes within one tick of a file system's clock give one stamp; FAT's tick is the longest, 2 s. */
const TICK_MS = 2000;

/** The digests of big files by their stamp, one note a stamp. */
export class StampedDigests {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The digest that the file had when it was last read; undefined when it is not known, or the note cannot be read. */
  async get(stamp: FileStamp): Promise<FileDigest | undefined> {
    try {
      const { digest, sizeBytes } = noteSchema.parse(JSON.parse(await readFile(this.#path(stamp), 'utf8')));
      return sizeBytes === stamp.size ? { digest, sizeBytes } : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Remembers what reading `path` gave, unless the file changed while it was read, or so lately that another write could have
   * left the same stamp.
   * @param before its stamp from before it was read
   */
  async put(path: string, before: FileStamp, { digest, sizeBytes }: FileDigest): Promise<void> {
    const now = Date.now();
    const after = await stampOf(path);
    if (after.key !== before.key || now < after.changedAtMs + TICK_MS) return;
    await mkdir(this.#dir, { recursive: true });
    const temporary = join(this.#dir, `.${randomUUID()}`);
    await writeFile(temporary, JSON.stringify({ schemaVersion: 1, digest, sizeBytes }));
    await rename(temporary, this.#path(before));
  }

  #path(stamp: FileStamp): string {
    return join(this.#dir, `${createHash('sha256').update(stamp.key).digest('hex')}.json`);
  }
}
