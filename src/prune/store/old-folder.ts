import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that was made of what is elsewhere, and would be made anew. */
export interface OldFolder {
  readonly path: string;
  /** Ms since 1970. */
  readonly usedAt: number;
  readonly sizeBytes: number;
}

/**
 * The folders in one that go.
 * @param dir need not be there
 * @param goes says so of a name and how long it was not used, ms
 */
export async function oldFolders(
  dir: string,
  now: number,
  goes: (name: string, unusedMs: number) => boolean | Promise<boolean>,
): Promise<OldFolder[]> {
  const found: OldFolder[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const path = join(dir, entry.name);
    const usedAt = await usedAtOf(path);
    if (usedAt !== undefined && (await goes(entry.name, now - usedAt)))
      found.push({ path, usedAt, sizeBytes: await sizeOf(path) });
  }
  return found;
}

/** Undefined where it is gone. */
export async function usedAtOf(path: string): Promise<number | undefined> {
  return (await lstat(path).catch(() => undefined))?.mtimeMs;
}

/** What its files take, those of several names once; what goes meanwhile counts nothing. */
async function sizeOf(dir: string): Promise<number> {
  const sizes = new Map<number, number>();
  // Bun's own recursion follows symbolic links, out of the folder too.
  const count = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return count(path);
        const file = entry.isFile() ? await lstat(path).catch(() => undefined) : undefined;
        if (file) sizes.set(file.ino, file.size);
      }),
    );
  };
  await count(dir);
  return sizes.values().reduce((sum, size) => sum + size, 0);
}
