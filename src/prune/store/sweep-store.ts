import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StorePlan } from './plan-store.ts';
import { readStore, type StoreState } from './read-store.ts';

/** Written under another name, and never renamed: what was killed left it. */
const LEFT_OVER_MS = 86_400_000;

/**
 * Takes names and manifests off the store's list, then removes the blobs, each looked at again: one that was used since stays. Whoever is
 * killed in between leaves blobs without an image, which the next run removes.
 * @returns the bytes that are free
 */
export async function sweepStore({ layout, blobs }: StoreState, plan: StorePlan): Promise<number> {
  await layout.unlist((descriptor, reference) =>
    reference === undefined ? plan.manifests.has(descriptor.digest) : plan.references.has(reference),
  );
  // What was named in the meantime has its blobs.
  const now = await readStore(layout.dir);
  const needed = new Set(
    now.repositories.flatMap(({ manifests }) =>
      [...manifests.values()].flatMap((facts) => [facts.digest, ...facts.blobs.map(({ digest }) => digest)]),
    ),
  );
  let freed = 0;
  for (const [digest, size] of plan.blobs) {
    const usedAt = (await stat(layout.blobPath(digest)).catch(() => undefined))?.mtimeMs;
    if (usedAt === undefined || usedAt !== blobs.get(digest)?.usedAt || needed.has(digest)) continue;
    await rm(layout.blobPath(digest), { force: true });
    freed += size;
  }
  const folder = join(layout.dir, 'blobs');
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.tmp-')) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LEFT_OVER_MS) await rm(join(folder, name), { force: true });
  }
  return freed;
}
