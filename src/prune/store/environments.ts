import { lstat, readdir, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** An environment of Python that training was done in, and would be made anew. */
export interface OldEnvironment {
  readonly path: string;
  /** Ms since 1970. */
  readonly usedAt: number;
  readonly sizeBytes: number;
}

/** A training may go on for long in an environment that it found at its start. */
const LEAST_MS = 86_400_000;

/** Environments, and what was left of making one, that nothing used within the grace. @param dir where training keeps them */
export async function oldEnvironments(
  dir: string,
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): Promise<OldEnvironment[]> {
  const found: OldEnvironment[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue;
    const path = join(dir, entry.name);
    const { mtimeMs: usedAt } = await lstat(path);
    if (now - usedAt > Math.max(graceMs, LEAST_MS)) found.push({ path, usedAt, sizeBytes: await sizeOf(path) });
  }
  return found;
}

/**
 * Takes them away, each with the name by which it is found; one that was used since stays.
 * @returns the bytes that are free
 */
export async function removeEnvironments(dir: string, environments: readonly OldEnvironment[]): Promise<number> {
  let freed = 0;
  for (const { path, usedAt, sizeBytes } of environments) {
    const now = await lstat(path).catch(() => undefined);
    if (now?.mtimeMs !== usedAt) continue;
    // Its name first: nobody finds half of it.
    for (const entry of await readdir(dir, { withFileTypes: true }))
      if (entry.isSymbolicLink() && (await readlink(join(dir, entry.name))) === basename(path))
        await rm(join(dir, entry.name), { force: true });
    await rm(path, { recursive: true, force: true });
    freed += sizeBytes;
  }
  return freed;
}

async function sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
