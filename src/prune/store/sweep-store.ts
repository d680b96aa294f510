import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StorePlan } from './plan-store.ts';
import { readStore, type StoreState } from './read-store.ts';

/** Written under another name, and never renamed: what was killed left it. */
const LEFT_OVER = /^\.(tmp|partial)-/;
const LEFT_OVER_MS = 86_400_000;

/**
 * Takes names and manifests off the store's list and removes the blobs, each looked at again: what was used since stays, and so does a name
 * that was given anew. Nobody names an image meanwhile. What no image has goes first: the list cannot be written on a full disk. Whoever is
 * killed in between leaves blobs without an image, which the next run removes.
 * @returns the bytes that are free @throws STORE_BUSY
 */
export function sweepStore({ layout, blobs }: StoreState, plan: StorePlan): Promise<number> {
  const unused = async (digest: string): Promise<boolean> => {
    const found = await stat(layout.blobPath(digest)).catch(() => undefined);
    return found !== undefined && found.mtimeMs === blobs.get(digest)?.usedAt;
  };
  const removeUnneeded = async (): Promise<number> => {
    const { repositories } = await readStore(layout.dir);
    const needed = new Set(
      repositories.flatMap(({ manifests }) =>
        [...manifests.values()].flatMap((facts) => [facts.digest, ...facts.blobs.map(({ digest }) => digest)]),
      ),
    );
    let freed = 0;
    for (const [digest, size] of plan.blobs) {
      if (needed.has(digest) || !(await unused(digest))) continue;
      await rm(layout.blobPath(digest), { force: true });
      freed += size;
    }
    return freed;
  };
  return layout.alone(async (unlist) => {
    await removeLeftOvers(join(layout.dir, 'blobs'));
    const loose = await removeUnneeded();
    const goes = new Set<string>();
    for (const digest of [...plan.manifests, ...plan.references.values()]) if (await unused(digest)) goes.add(digest);
    await unlist(
      ({ digest }, reference) =>
        goes.has(digest) &&
        (reference === undefined ? plan.manifests.has(digest) : plan.references.get(reference) === digest),
    );
    return loose + (await removeUnneeded());
  });
}

async function removeLeftOvers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!LEFT_OVER.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LEFT_OVER_MS) await rm(join(folder, name), { force: true });
  }
}
