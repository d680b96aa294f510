import type { MarkedRepository } from './mark.ts';
import { sweepOrder } from './order.ts';
import type { Blob } from './world.ts';

/** What a sweep frees, in compressed bytes. */
export interface Freed {
  /** Shared blobs once; what any kept manifest of the same storage names is not counted. */
  readonly freeBytes: number;
  /** By repository, then by image: its part of the sum; what several share counts for the first. */
  readonly byImage: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** @param after each repository */
export function freed(repositories: readonly MarkedRepository[], after: () => void = () => {}): Freed {
  const stays = new Map<string, Set<string>>();
  for (const { repository, kept } of repositories) {
    const set = stays.get(repository.storage) ?? new Set<string>();
    stays.set(repository.storage, set);
    for (const digest of kept) {
      set.add(digest);
      for (const blob of repository.manifests.get(digest)?.blobs ?? []) set.add(blob.digest);
    }
  }
  const byImage = new Map<string, Map<string, number>>();
  let freeBytes = 0;
  for (const marked of repositories) {
    const { repository } = marked;
    const counted = stays.get(repository.storage) as Set<string>;
    const images = new Map<string, number>();
    byImage.set(repository.name, images);
    for (const step of sweepOrder(marked)) {
      const facts = repository.manifests.get(step.digest);
      if (!facts) continue;
      let bytes = 0;
      const count = ({ digest, size }: Blob) => {
        if (counted.has(digest)) return;
        counted.add(digest);
        bytes += size;
      };
      count(facts);
      for (const blob of facts.blobs) count(blob);
      freeBytes += bytes;
      images.set(step.image, (images.get(step.image) ?? 0) + bytes);
    }
    after();
  }
  return { freeBytes, byImage };
}

/** What is free once some manifests are gone, bytes: what no manifest that is left in the same storage names. */
export function freedBytes(
  repositories: readonly MarkedRepository[],
  isGone: (repository: string, digest: string) => boolean,
): number {
  const left = new Map<string, Set<string>>();
  const gone = new Map<string, Map<string, number>>();
  for (const { repository } of repositories) {
    const { name, storage, manifests } = repository;
    const stays = left.get(storage) ?? new Set<string>();
    const goes = gone.get(storage) ?? new Map<string, number>();
    left.set(storage, stays);
    gone.set(storage, goes);
    for (const facts of manifests.values())
      for (const { digest, size } of [facts, ...facts.blobs])
        if (isGone(name, facts.digest)) goes.set(digest, size);
        else stays.add(digest);
  }
  let bytes = 0;
  for (const [storage, goes] of gone)
    for (const [digest, size] of goes) if (!left.get(storage)?.has(digest)) bytes += size;
  return bytes;
}
