import { attachmentsOf, below, subjectOfTag, whole } from './attachments.ts';
import type { RepositoryState } from './world.ts';

/** What the plan speaks of: a manifest that a tag names, or one that nothing else in its repository names. */
export interface Image {
  readonly digest: string;
  /** Without those of attachments, in the order of the repository. */
  readonly tags: readonly string[];
  /** With what is below it. */
  readonly manifests: readonly string[];
  /** The same with what is attached to any of it. */
  readonly parts: readonly string[];
  /** Set where it is attached to something that is not there. */
  readonly orphan: boolean;
}

/** A repository taken apart. */
export interface Anatomy {
  readonly repository: RepositoryState;
  readonly images: readonly Image[];
  /** By digest, what is attached to it. */
  readonly attachments: ReadonlyMap<string, ReadonlySet<string>>;
}

/** All tags of each manifest, those of attachments too. */
export function tagsByDigest({ tags }: RepositoryState): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [tag, digest] of tags) {
    const known = found.get(digest);
    if (known) known.push(tag);
    else found.set(digest, [tag]);
  }
  return found;
}

/** Every manifest belongs to an image, is below one, or is attached to something. */
export function anatomyOf(repository: RepositoryState): Anatomy {
  const { manifests } = repository;
  const attachments = attachmentsOf(repository);
  const tags = new Map(
    [...tagsByDigest(repository)].map(([digest, all]) => [
      digest,
      all.filter((tag) => subjectOfTag(tag) === undefined),
    ]),
  );
  const named = [...tags].flatMap(([digest, all]) => (all.length > 0 && manifests.has(digest) ? [digest] : []));
  const belongs = new Set<string>();
  const belong = (roots: Iterable<string>) => {
    const waiting = [...roots];
    for (let root = waiting.pop(); root !== undefined; root = waiting.pop())
      for (const digest of below(manifests, root)) {
        if (belongs.has(digest)) continue;
        belongs.add(digest);
        waiting.push(...(attachments.get(digest) ?? []));
      }
  };
  belong(named);
  const images: Image[] = [];
  const add = (digest: string, orphan: boolean) => {
    const own = below(manifests, digest);
    const parts = own.some((one) => attachments.has(one)) ? [...whole(manifests, attachments, [digest])] : own;
    images.push({ digest, tags: tags.get(digest) ?? [], manifests: own, parts, orphan });
    belong([digest]);
  };
  for (const digest of named) add(digest, false);
  // Without a tag: indexes before what they name, what stands alone before what is attached to something.
  const attached = new Set([...attachments.values()].flatMap((all) => [...all]));
  const left = () => [...manifests.keys()].filter((digest) => !belongs.has(digest));
  const roots = (all: readonly string[]) => {
    const children = new Set(all.flatMap((digest) => manifests.get(digest)?.children ?? []));
    return all.filter((digest) => !children.has(digest));
  };
  for (const digest of roots(left())) if (!attached.has(digest)) add(digest, false);
  for (const all = roots(left()); all.length > 0; ) {
    const held = new Set(all.flatMap((digest) => [...(attachments.get(digest) ?? [])]));
    const next = all.filter((digest) => !held.has(digest) && !belongs.has(digest));
    // Tags can be set so that two manifests are attached to each other.
    for (const digest of next.length > 0 ? next : all.slice(0, 1)) if (!belongs.has(digest)) add(digest, true);
    all.splice(0, all.length, ...roots(left()));
  }
  return { repository, images, attachments };
}
