import { readdir, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type OldFolder, oldFolders, usedAtOf } from './old-folder.ts';

/** A training may go on for long in an environment that it found at its start. */
const LEAST_MS = 86_400_000;

/** Environments, and what was left of making one, that nothing used within the grace. @param dir where training keeps them */
export function oldEnvironments(
  dir: string,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): Promise<OldFolder[]> {
  return oldFolders(dir, now, (_, unusedMs) => unusedMs > Math.max(graceMs, LEAST_MS));
}

/**
 * Takes them away, each with the name by which it is found; one that was used since stays.
 * @returns the bytes that are free
 */
export async function removeEnvironments(dir: string, environments: readonly OldFolder[]): Promise<number> {
  let freed = 0;
  for (const { path, usedAt, sizeBytes } of environments) {
    if ((await usedAtOf(path)) !== usedAt) continue;
    // Its name first: nobody finds half of it.
    for (const entry of await readdir(dir, { withFileTypes: true }))
      if (entry.isSymbolicLink() && (await readlink(join(dir, entry.name))) === basename(path))
        await rm(join(dir, entry.name), { force: true });
    await rm(path, { recursive: true, force: true });
    freed += sizeBytes;
  }
  return freed;
}
