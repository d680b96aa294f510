import { BASE_DIGEST } from '../../image/index.ts';
import type { Manifest, RepositoryStock } from '../../registry/index.ts';
import type { Blob, ManifestFacts, RepositoryState } from '../decide/world.ts';
import type { RepositoryNote } from './note.ts';

/** Runs work when there is room for it: so many requests to a registry at once. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

export interface ReadOptions {
  readonly stock: RepositoryStock;
  /** `registry.example.com` */
  readonly storage: string;
  readonly note: RepositoryNote;
  readonly limit: Limit;
  /** Ms since 1970. */
  readonly now: number;
  /** Manifests that are there perhaps, without a tag: named by clusters, or left by a sweep that was interrupted. */
  readonly also: Iterable<string>;
}

/** A repository as it was read, and what is to be remembered of it. */
export interface ReadRepository {
  readonly state: RepositoryState;
  readonly note: RepositoryNote;
}

/**
 * All that can be known of a repository: what its tags name now, what is below that, and what had a tag when it was read before. Registries
 * do not list what has none. Undefined where there is no such repository.
 * @throws REGISTRY_…, IMAGE_INVALID, INTEGRITY_MISMATCH: then nothing is known for certain
 */
export async function readRepository(options: ReadOptions): Promise<ReadRepository | undefined> {
  const { stock, note, limit } = options;
  const listed = await limit(() => stock.tags());
  const reading = new Reading(options);
  const tags = new Map<string, string>();
  await Promise.all(
    [...(listed ?? [])].map(async (tag) => {
      const digest = await reading.tagged(tag);
      if (digest !== undefined) tags.set(tag, digest);
    }),
  );
  for (const digest of new Set([...options.also, ...note.manifests.keys()])) await reading.alone(digest);
  if (listed === undefined && reading.manifests.size === 0) return undefined;
  const { manifests, since, firstSeen } = reading;
  const referrers = new Map([...note.referrers].filter(([digest]) => manifests.has(digest)));
  // Tags in the order of the list, not in that of the answers.
  const ordered = new Map([...(listed ?? [])].flatMap((tag) => entryOf(tags, tag)));
  return {
    state: { name: stock.name, storage: options.storage, tags: ordered, manifests, since },
    note: { manifests, firstSeen, tags: ordered, referrers },
  };
}

function entryOf(tags: ReadonlyMap<string, string>, tag: string): [string, string][] {
  const digest = tags.get(tag);
  return digest === undefined ? [] : [[tag, digest]];
}

/** One reading: each manifest is fetched once, however many name it. */
class Reading {
  readonly manifests = new Map<string, ManifestFacts>();
  readonly since = new Map<string, number>();
  readonly firstSeen = new Map<string, number>();
  readonly #options: ReadOptions;
  readonly #going = new Map<string, Promise<void>>();
  readonly #same = new Same();

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  /** What a tag names now; undefined where it has gone since it was listed. */
  async tagged(tag: string): Promise<string | undefined> {
    const { stock, note, limit } = this.#options;
    const before = note.tags.get(tag);
    if (before !== undefined && note.manifests.has(before)) {
      const now = await limit(() => stock.tagged(tag));
      if (!now) return undefined;
      const digest = now.digest === before ? before : now.digest;
      await this.#reach(digest);
      this.#stored(digest, now.storedAt);
      return digest;
    }
    const manifest = await limit(() => stock.manifest(tag));
    if (!manifest) return undefined;
    await this.#take(manifest);
    return this.manifests.get(manifest.descriptor.digest)?.digest;
  }

  /** A manifest that no tag leads to, if it is there. */
  async alone(digest: string): Promise<void> {
    const { stock, note, limit } = this.#options;
    if (this.manifests.has(digest)) return;
    if (!note.manifests.has(digest)) return this.#reach(digest);
    // Noted is not there: somebody else may have deleted it.
    if (await limit(() => stock.has(digest))) await this.#reach(digest);
  }

  #reach(digest: string): Promise<void> {
    const going = this.#going.get(digest);
    if (going) return going;
    const known = this.#options.note.manifests.get(digest);
    const work = known ? this.#put(known) : this.#fetch(digest);
    this.#going.set(digest, work);
    return work;
  }

  async #fetch(digest: string): Promise<void> {
    const { stock, limit } = this.#options;
    const manifest = await limit(() => stock.manifest(digest));
    // An index may name what was never copied here.
    if (manifest) await this.#put(factsOf(manifest), manifest.storedAt);
  }

  async #take(manifest: Manifest): Promise<void> {
    const { digest } = manifest.descriptor;
    const work = this.#going.get(digest) ?? this.#put(factsOf(manifest), manifest.storedAt);
    this.#going.set(digest, work);
    await work;
  }

  async #put(found: ManifestFacts, storedAt?: number): Promise<void> {
    const { note, now } = this.#options;
    const facts = this.#same.facts(found);
    const { digest } = facts;
    const first = note.firstSeen.get(digest);
    this.manifests.set(digest, facts);
    this.firstSeen.set(digest, first ?? now);
    this.#stored(digest, first);
    this.#stored(digest, storedAt);
    await Promise.all(facts.children.map((child) => this.#reach(child)));
  }

  /** The earliest time is what counts. */
  #stored(digest: string, at: number | undefined): void {
    if (at !== undefined && at < (this.since.get(digest) ?? Number.POSITIVE_INFINITY)) this.since.set(digest, at);
  }
}

const NONE: readonly never[] = [];

/** The same object for the same blob, the same string for the same digest: manifests of a repository have most of theirs in common. */
class Same {
  readonly #blobs = new Map<string, Blob>();
  readonly #digests = new Map<string, string>();

  facts(facts: ManifestFacts): ManifestFacts {
    return {
      ...facts,
      digest: this.#digest(facts.digest),
      children: facts.children.length === 0 ? NONE : facts.children.map((digest) => this.#digest(digest)),
      blobs:
        facts.blobs.length === 0
          ? NONE
          : facts.blobs.map((blob) => {
              const known = this.#blobs.get(blob.digest);
              if (known?.size === blob.size) return known;
              this.#blobs.set(blob.digest, blob);
              return blob;
            }),
    };
  }

  #digest(digest: string): string {
    const known = this.#digests.get(digest);
    if (known !== undefined) return known;
    this.#digests.set(digest, digest);
    return digest;
  }
}

export function factsOf({ descriptor, manifests, blobs, subject, annotations }: Manifest): ManifestFacts {
  const base = annotations?.[BASE_DIGEST];
  return {
    digest: descriptor.digest,
    size: descriptor.size,
    children: manifests.map(({ digest }) => digest),
    blobs: blobs.map(({ digest, size }) => ({ digest, size })),
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...(base === undefined ? {} : { base }),
  };
}
