import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isStill, tryLock } from '../../image/index.ts';
import { type OldFolder, oldFolders, usedAtOf } from './old-folder.ts';

/** A whole one is named for its image; what has a dot is one that is being unpacked or removed, or was when somebody was killed. */
const HALF = /\./;
const HALF_MS = 86_400_000;

/**
 * Root file systems that runs unpacked, that nobody runs from and nothing used within the grace. Who runs from one holds a shared lock on
 * its folder; where folders cannot be locked, as on NFS, nothing proves that nobody does, and they stay. So do those that are not ours to remove.
 * @param dir where runs unpack them
 */
export function oldRootFileSystems(
  dir: string,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): Promise<OldFolder[]> {
  return oldFolders(dir, now, async (name, unusedMs) => {
    if (unusedMs <= (HALF.test(name) ? HALF_MS : graceMs)) return false;
    const path = join(dir, name);
    const ours = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    );
    return ours && (await whileUnused(path, async () => true));
  });
}

/**
 * Takes them away; one that was used since, or is now, stays. Each is renamed while nobody can begin to run from it, so that a run that
 * starts meanwhile unpacks it anew.
 * @returns the bytes that are free
 */
export async function removeRootFileSystems(folders: readonly OldFolder[]): Promise<number> {
  let freed = 0;
  for (const { path, usedAt, sizeBytes } of folders) {
    const away = join(dirname(path), `removed.${randomUUID()}`);
    const taken = await whileUnused(path, async () => {
      if ((await usedAtOf(path)) !== usedAt) return false;
      await rename(path, away);
      return true;
    });
    if (!taken) continue;
    await rm(away, { recursive: true, force: true });
    freed += sizeBytes;
  }
  return freed;
}

/** Does `work` while nobody holds a folder. @returns false where somebody does, or where that cannot be known */
async function whileUnused(path: string, work: () => Promise<boolean>): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return false;
  try {
    return tryLock(file) === true && (await isStill(path, file)) && (await work());
  } finally {
    await file.close();
  }
}
