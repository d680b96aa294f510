import { type MarkedRepository, mark } from '../decide/mark.ts';
import { sweepOrder } from '../decide/order.ts';
import type { ManifestFacts, Policy, Use } from '../decide/world.ts';
import { reach, type StoreState } from './read-store.ts';

/** What was written or used so lately may belong to a build that is not done: of an image that goes, and of what no image has. */
const BUSY_MS = 60_000;
const LOOSE_MS = 3_600_000;

/** What of the local store goes. */
export interface StorePlan {
  readonly marked: readonly MarkedRepository[];
  /** Names that go, as the store has them, with the digest that each named then. */
  readonly references: ReadonlyMap<string, string>;
  /** Manifests that are taken off the store's list. */
  readonly manifests: ReadonlySet<string>;
  /** Blobs that no kept image has, with their sizes. */
  readonly blobs: ReadonlyMap<string, number>;
  readonly freeBytes: number;
}

export interface StorePlanOptions {
  readonly now: number;
  readonly uses: readonly Use[];
  readonly policyOf: (name: string) => Policy;
  /** For blobs that belong to no image. */
  readonly graceMs: number;
}

/** Decides about the local store as about a registry; what it has beside images (layers of builds, what was fetched) goes by its age. */
export async function planStore(store: StoreState, options: StorePlanOptions): Promise<StorePlan> {
  const { now, uses, policyOf, graceMs } = options;
  const { repositories, blobs, layout } = store;
  const policies = new Map(repositories.map(({ name }) => [name, policyOf(name)]));
  const marked = mark({ now, repositories, uses, policies });
  const stays = new Set<string>();
  const goes = new Set<string>();
  const references = new Map<string, string>();
  const manifests = new Set<string>();
  const kept = new Map<string, ManifestFacts>();
  for (const at of marked) {
    for (const digest of at.kept) {
      const facts = at.repository.manifests.get(digest);
      if (facts) kept.set(digest, facts);
    }
    for (const { digest, tags } of sweepOrder(at)) {
      for (const tag of tags) references.set(tag === '' ? at.repository.name : `${at.repository.name}:${tag}`, digest);
      manifests.add(digest);
      for (const blob of [{ digest }, ...(at.repository.manifests.get(digest)?.blobs ?? [])]) goes.add(blob.digest);
    }
  }
  for (const { digest } of kept.values()) manifests.delete(digest);
  // Images that were fetched to build on have no name here: those of kept images and of locks stay.
  for (const digest of [...[...kept.values()].map(({ base }) => base), ...uses.map((use) => use.digest)])
    if (digest !== undefined) await reach(layout, digest, kept);
  for (const facts of kept.values()) for (const blob of [facts, ...facts.blobs]) stays.add(blob.digest);
  const old = new Map(
    [...blobs].flatMap(([digest, { size, usedAt }]) => {
      const unused = now - usedAt;
      const free = !stays.has(digest) && unused > (goes.has(digest) ? BUSY_MS : Math.max(graceMs, LOOSE_MS));
      return free ? [[digest, size] as const] : [];
    }),
  );
  const freeBytes = [...old.values()].reduce((sum, size) => sum + size, 0);
  return { marked, references, manifests, blobs: old, freeBytes };
}
