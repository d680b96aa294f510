import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from '../../image/index.ts';

/** Less than this is fetched again sooner than it is taken up. */
const KEPT_BYTES = 2 ** 20;

/** A file that is written to its end by whoever holds it. */
export interface Partial {
  readonly path: string;
  readonly file: FileHandle;
}

/**
 * Where the bytes of a blob go until it is whole. What an earlier process left of it, when it was ended or gave up, is taken over: whoever
 * writes holds the file's lock, also where processes do not see each other, as in containers with one store.
 * @param dir on the disk of the blob's own place
 */
export async function claimPartial(dir: string, digest: string): Promise<Partial> {
  const start = `.partial-${digest.replace(':', '-')}-`;
  for (const name of await readdir(dir)) {
    if (!name.startsWith(start)) continue;
    const path = join(dir, name);
    const file = await open(path, constants.O_RDWR | constants.O_APPEND).catch(() => undefined);
    if (!file) continue;
    if (tryLock(file) === true && (await isStill(path, file))) return { path, file };
    await file.close();
  }
  const path = join(dir, `${start}${randomUUID()}`);
  const file = await open(path, 'ax+', 0o644);
  if (tryLock(file) !== false) return { path, file };
  // Somebody has taken it over in this moment.
  await file.close();
  return claimPartial(dir, digest);
}

/** Leaves what there is of a blob for whoever asks for it next. */
export async function leavePartial({ path, file }: Partial): Promise<void> {
  if ((await file.stat()).size < KEPT_BYTES) await rm(path, { force: true });
}

/** Whoever held it before may have put it in its place, or removed it. */
async function isStill(path: string, file: FileHandle): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && there.ino === (await file.stat()).ino;
}
