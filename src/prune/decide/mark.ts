import { whole } from './attachments.ts';
import { type Anatomy, anatomyOf, type Image, tagsByDigest } from './images.ts';
import { compareVersionsOfTags, isVersionTag, versionOf } from './version-order.ts';
import {
  DEFAULT_POLICY,
  KEEP_CODES,
  type KeepCode,
  type Policy,
  type RepositoryState,
  type Use,
  type World,
} from './world.ts';

export interface Reason {
  readonly code: KeepCode;
  /** What names it, or which rule keeps it. */
  readonly detail: string;
}

export interface Marked extends Image {
  /** Strongest first; none where it goes. */
  readonly reasons: readonly Reason[];
  /** Since when it is proven to be there, ms since 1970; undefined where nothing proves it. */
  readonly since: number | undefined;
  /** How many newer versions there are, for one that has a version. */
  readonly newer: number | undefined;
}

export interface MarkedRepository extends Anatomy {
  readonly policy: Policy;
  readonly images: readonly Marked[];
  /** Manifests that stay: images that are kept, all below them, all that is attached to any of it. */
  readonly kept: ReadonlySet<string>;
}

const NONE: readonly Reason[] = [];

/** Names of what protects an image that are told of one reason. */
const TOLD = 3;

/**
 * Which images stay, and why. Whatever the world does not prove to be superfluous stays.
 * @param world as it was read; a world that was not read whole must not be swept
 */
export function mark(world: World): readonly MarkedRepository[] {
  return markInTurn(world, () => {});
}

/**
 * The same, letting others do something after each repository: what is thrown away on the way is more than what remains.
 * @param after each repository
 */
export function markInTurn(world: World, after: () => void): readonly MarkedRepository[] {
  const uses = usesBy(world.uses);
  const marked = world.repositories.map((repository) => {
    const one = markOne(repository, uses, world);
    after();
    return one;
  });
  return withKept(withBases(marked));
}

function markOne(
  repository: RepositoryState,
  uses: UsesBy,
  { now, policies }: Pick<World, 'now' | 'policies'>,
): Undecided {
  const anatomy = anatomyOf(repository);
  const policy = policies.get(repository.name) ?? DEFAULT_POLICY;
  const tags = tagsByDigest(repository);
  const patterns = policy.keepTags.map((text) => ({ text, glob: new Bun.Glob(text) }));
  const last = lastVersions(anatomy, policy, now);
  const images = anatomy.images.map((image) => {
    const named = naming(repository, image.parts, tags, uses);
    const since = repository.since.get(image.digest);
    const reasons = [
      ...reasonsOf(named),
      ...keptTags(image, patterns),
      ...last.reason(image),
      ...(now - (since ?? now) < policy.graceMs ? [isNew(since, (since ?? now) + policy.graceMs)] : []),
    ];
    return { ...image, since, reasons: reasons.length === 0 ? NONE : reasons, newer: last.newer(image) };
  });
  return { ...anatomy, policy, images };
}

export interface UsesBy {
  readonly digest: ReadonlyMap<string, readonly Use[]>;
  readonly tag: ReadonlyMap<string, readonly Use[]>;
}

export function usesBy(uses: readonly Use[]): UsesBy {
  const [digest, tag] = [new Map<string, Use[]>(), new Map<string, Use[]>()];
  const add = (map: Map<string, Use[]>, key: string, use: Use) => {
    const known = map.get(key);
    if (known) known.push(use);
    else map.set(key, [use]);
  };
  for (const use of uses) {
    if (use.digest !== undefined) add(digest, use.digest, use);
    if (use.tag !== undefined) add(tag, use.tag.tag, use);
  }
  return { digest, tag };
}

/**
 * What names any of some manifests: a digest, a config's digest, a tag.
 * @param tags by digest, those of attachments too
 */
export function naming(
  { name, manifests }: RepositoryState,
  digests: Iterable<string>,
  tags: ReadonlyMap<string, readonly string[]>,
  by: UsesBy,
): Use[] {
  const found: Use[] = [];
  for (const digest of digests) {
    found.push(...(by.digest.get(digest) ?? []));
    // Docker calls a running image by its config.
    for (const blob of manifests.get(digest)?.blobs ?? []) found.push(...(by.digest.get(blob.digest) ?? []));
    for (const tag of tags.get(digest) ?? [])
      found.push(...(by.tag.get(tag) ?? []).filter((use) => samePath(name, use.tag?.repository ?? '')));
  }
  return found;
}

/** Whether a name may mean a repository: mirrors put something before its path, or leave something out. */
export function samePath(repository: string, path: string): boolean {
  const own = repository.slice(repository.indexOf('/') + 1);
  return own === path || own.endsWith(`/${path}`) || path.endsWith(`/${own}`);
}

function reasonsOf(uses: readonly Use[]): readonly Reason[] {
  if (uses.length === 0) return NONE;
  return KEEP_CODES.flatMap((code) => {
    const names = [...new Set(uses.filter((use) => use.code === code).map((use) => use.by))];
    if (names.length === 0) return [];
    const more = names.length > TOLD ? ` and ${names.length - TOLD} more` : '';
    return [{ code, detail: `${names.slice(0, TOLD).join(', ')}${more}` }];
  });
}

interface TagPattern {
  readonly text: string;
  readonly glob: Bun.Glob;
}

function keptTags({ tags }: Image, patterns: readonly TagPattern[]): readonly Reason[] {
  for (const { text, glob } of patterns) {
    const tag = tags.find((one) => glob.match(one));
    if (tag !== undefined) return [{ code: 'KEPT_TAG', detail: `tag ${tag} fits ${text}` }];
  }
  return NONE;
}

/** The last one that is written with four digits. */
const LAST_DAY = Date.UTC(9999, 11, 31);

function isNew(since: number | undefined, until: number): Reason {
  const age = since === undefined ? 'nothing proves how long it has been there' : `there since ${day(since)}`;
  return { code: 'NEW', detail: until > LAST_DAY ? age : `${age}: stays until ${day(until)}` };
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The newest versions, and of what has no version the newest by what is proven. */
function lastVersions({ images, repository }: Anatomy, { keepLast }: Policy, now: number) {
  const tagged = images.filter(({ tags }) => tags.length > 0);
  const newest = ({ tags }: Image) => {
    const versions = tags.filter(isVersionTag).map(versionOf);
    return versions.length < 2 ? versions[0] : versions.sort(compareVersionsOfTags).at(-1);
  };
  const versioned = tagged
    .flatMap((image) => {
      const version = newest(image);
      return version === undefined ? [] : [{ image, version }];
    })
    .sort((a, b) => compareVersionsOfTags(b.version, a.version));
  const since = ({ digest }: Image) => repository.since.get(digest) ?? now;
  const others = tagged
    .filter(({ tags }) => !tags.some(isVersionTag))
    .sort((a, b) => since(b) - since(a) || ((a.tags[0] ?? '') < (b.tags[0] ?? '') ? 1 : -1));
  const rank = new Map(versioned.map(({ image }, i) => [image.digest, i]));
  const lastOthers = new Set(others.slice(0, keepLast).map(({ digest }) => digest));
  return {
    newer: ({ digest }: Image) => rank.get(digest),
    reason: ({ digest }: Image): readonly Reason[] => {
      const at = rank.get(digest);
      if (at !== undefined && at < keepLast)
        return [
          { code: 'LAST_VERSIONS', detail: at === 0 ? 'the newest version' : `version ${at + 1} from the newest` },
        ];
      return lastOthers.has(digest)
        ? [{ code: 'LAST_VERSIONS', detail: 'of those without a version the newest' }]
        : NONE;
    },
  };
}

type Undecided = Omit<MarkedRepository, 'kept'>;

/** Images that kept ones were built on stay too, in whichever repository: a lock, or a build on it, may want them. */
function withBases(repositories: readonly Undecided[]): readonly Undecided[] {
  const wanted = new Set(
    repositories.flatMap(({ repository }) => [...repository.manifests.values()].flatMap(({ base }) => base ?? [])),
  );
  if (wanted.size === 0) return repositories;
  const holders = new Map<string, { at: Undecided; image: Marked }[]>();
  for (const at of repositories)
    for (const image of at.images)
      for (const digest of image.parts) {
        if (!wanted.has(digest)) continue;
        const known = holders.get(digest);
        if (known) known.push({ at, image });
        else holders.set(digest, [{ at, image }]);
      }
  const bases = new Map<Marked, string>();
  const waiting = repositories.flatMap((at) =>
    at.images.filter(({ reasons }) => reasons.length > 0).map((image) => ({ at, image })),
  );
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop())
    for (const digest of one.image.manifests) {
      const base = one.at.repository.manifests.get(digest)?.base;
      for (const holder of (base !== undefined && holders.get(base)) || []) {
        if (holder.image === one.image || bases.has(holder.image)) continue;
        bases.set(
          holder.image,
          `${one.at.repository.name}${one.image.tags[0] ? `:${one.image.tags[0]}` : `@${one.image.digest}`}`,
        );
        if (holder.image.reasons.length === 0) waiting.push(holder);
      }
    }
  return repositories.map((at) => ({
    ...at,
    images: at.images.map((image) => {
      const base = bases.get(image);
      return base === undefined
        ? image
        : { ...image, reasons: inOrder([...image.reasons, { code: 'BASE', detail: `${base} was built on it` }]) };
    }),
  }));
}

function inOrder(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.toSorted((a, b) => KEEP_CODES.indexOf(a.code) - KEEP_CODES.indexOf(b.code));
}

/** What is kept with the images that are; an orphan among it is kept for that. */
function withKept(repositories: readonly Undecided[]): readonly MarkedRepository[] {
  return repositories.map((at) => {
    const { manifests } = at.repository;
    const stay = at.images.filter(({ reasons }) => reasons.length > 0);
    const kept = whole(
      manifests,
      at.attachments,
      stay.map(({ digest }) => digest),
    );
    const images = at.images.map((image) =>
      image.reasons.length === 0 && kept.has(image.digest)
        ? { ...image, reasons: [{ code: 'ATTACHED' as const, detail: 'it belongs to an image that stays' }] }
        : image,
    );
    return { ...at, images, kept };
  });
}
