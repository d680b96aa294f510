import { readLock } from '../image/index.ts';
import { registryReference } from '../registry/index.ts';
import type { Use } from './decide/world.ts';

/** The images that lock files pin: bases and server images. Files that are not there pin nothing. @throws LOCK_INVALID */
export async function lockUses(files: readonly string[]): Promise<Use[]> {
  const uses: Use[] = [];
  for (const file of new Set(files)) {
    const lock = await readLock(file);
    if (!lock) continue;
    const pins = [
      ...Object.entries(lock.baseImages ?? {}).map(([reference, digest]) => ({ reference, digest })),
      ...(lock.serverImage ? [lock.serverImage] : []),
    ];
    for (const { reference, digest } of pins) {
      const named = registryReference(reference);
      uses.push({ code: 'LOCKED', digest, path: named?.repository, by: file });
      if (named?.tag !== undefined)
        uses.push({ code: 'LOCKED', tag: { repository: named.repository, tag: named.tag }, by: file });
    }
  }
  return uses;
}
