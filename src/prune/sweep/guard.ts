import type { RepositoryStock } from '../../registry/index.ts';
import type { Clusters } from '../cluster/clusters.ts';
import { tagsByDigest } from '../decide/images.ts';
import { type Marked, type MarkedRepository, naming, type UsesBy, usesBy } from '../decide/mark.ts';
import type { ManifestFacts, Use } from '../decide/world.ts';
import type { Gap } from '../gap.ts';
import type { RepositoryNote } from '../registry/note.ts';
import { readReferrers } from '../registry/read-referrers.ts';
import { factsOf } from '../registry/read-repository.ts';

/** Why something that was to go stays after all. */
export interface Spared {
  readonly image: Marked;
  readonly why: string;
}

/** Every tag is asked anew after so long. */
const ALL_TAGS_MS = 60_000;

/** What stands between a plan and a deletion: looks again at clusters and registry, for one repository. */
export class Guard {
  readonly marked: MarkedRepository;
  /** What stays after all, by digest. */
  readonly #stays = new Set<string>();
  readonly #stock: RepositoryStock;
  readonly #clusters: Clusters;
  readonly #locked: readonly Use[];
  readonly #tagsByDigest: ReadonlyMap<string, readonly string[]>;
  readonly #tags: Map<string, string>;
  readonly #note: RepositoryNote;
  #allTagsAt: number;
  #uses: { readonly of: readonly Use[]; readonly by: UsesBy } | undefined;

  /** @param readAt when the plan read the repository, by performance.now() */
  constructor(
    marked: MarkedRepository,
    more: {
      readonly stock: RepositoryStock;
      readonly clusters: Clusters;
      readonly locked: readonly Use[];
      readonly readAt: number;
    },
  ) {
    this.marked = marked;
    this.#stock = more.stock;
    this.#clusters = more.clusters;
    this.#locked = more.locked;
    this.#allTagsAt = more.readAt;
    this.#tags = new Map(marked.repository.tags);
    this.#tagsByDigest = tagsByDigest(marked.repository);
    const manifests = new Map(marked.repository.manifests);
    this.#note = { manifests, firstSeen: new Map(), tags: new Map(), referrers: new Map() };
  }

  stays(digest: string): boolean {
    return this.#stays.has(digest);
  }

  /**
   * Looks at an image just before it goes: whether a cluster names it by now, or a tag that is new or was moved.
   * @returns why it stays, or what was attached to it since the plan @throws GapsFound; what registries throw
   */
  async image(image: Marked): Promise<{ readonly why: string } | { readonly attached: readonly ManifestFacts[] }> {
    await this.#lookAtTags(image);
    const named = await this.#named(image.parts);
    const why =
      named ??
      ([...image.parts].some((digest) => this.#stays.has(digest)) ? 'a new or moved tag leads to it' : undefined);
    if (why !== undefined) {
      for (const digest of image.parts) this.#stays.add(digest);
      return { why };
    }
    const options = { limit: <T>(work: () => Promise<T>) => work(), now: Date.now(), fresh: true };
    return { attached: await readReferrers(this.#stock, this.#note, image.manifests, options) };
  }

  /** Looks at a manifest that goes with its image. @returns why it stays */
  async manifest(digest: string): Promise<string | undefined> {
    if (this.#stays.has(digest)) return 'an image that stays has it';
    const named = await this.#named([digest]);
    if (named !== undefined) this.#stays.add(digest);
    return named;
  }

  async #named(digests: Iterable<string>): Promise<string | undefined> {
    const { uses, gaps } = await this.#clusters.protection();
    if (gaps.length > 0) throw new GapsFound(gaps);
    if (this.#uses?.of !== uses) this.#uses = { of: uses, by: usesBy([...uses, ...this.#locked]) };
    return naming(this.marked.repository, digests, this.#tagsByDigest, this.#uses.by)[0]?.by;
  }

  async #lookAtTags(image: Marked): Promise<void> {
    const listed = (await this.#stock.tags()) ?? new Set<string>();
    const all = performance.now() - this.#allTagsAt > ALL_TAGS_MS;
    if (all) this.#allTagsAt = performance.now();
    for (const tag of listed) {
      const known = this.#tags.get(tag);
      if (known !== undefined && !all && !image.tags.includes(tag)) continue;
      const now = await this.#stock.tagged(tag);
      if (!now || now.digest === known) continue;
      this.#tags.set(tag, now.digest);
      await this.#keep(now.digest);
    }
  }

  /** All that a new tag leads to stays. */
  async #keep(digest: string): Promise<void> {
    if (this.#stays.has(digest)) return;
    this.#stays.add(digest);
    const known = this.marked.repository.manifests.get(digest);
    const found = known ?? (await this.#stock.manifest(digest));
    const facts = found && ('descriptor' in found ? factsOf(found) : found);
    for (const child of facts?.children ?? []) await this.#keep(child);
    for (const attached of this.marked.attachments.get(digest) ?? []) await this.#keep(attached);
  }
}

/** Something that was known when the plan was made is known no more. */
export class GapsFound extends Error {
  readonly gaps: readonly Gap[];

  constructor(gaps: readonly Gap[]) {
    super(gaps.map(({ about, message }) => `${about}: ${message}`).join('; '));
    this.name = 'GapsFound';
    this.gaps = gaps;
  }
}
