import type { KnownCluster } from './cluster/clusters.ts';
import { type Freed, freed } from './decide/free.ts';
import type { Marked, MarkedRepository, Reason } from './decide/mark.ts';
import type { Blob } from './decide/world.ts';
import type { Gap } from './gap.ts';
import type { OldFolder } from './store/old-folder.ts';
import type { StorePlan } from './store/plan-store.ts';

/** An image of a plan. */
export interface PlannedImage {
  /** `registry.example.com/ml/iris:0.0.1`; by digest where it has no tag. */
  readonly reference: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** Compressed, with all that is attached, bytes. */
  readonly sizeBytes: number;
}

export interface DroppedImage extends PlannedImage {
  /** Its part of what becomes free, bytes. */
  readonly freeBytes: number;
  readonly reasons: readonly { readonly code: string; readonly detail: string }[];
}

export interface PlannedRepository {
  readonly repository: string;
  /** The file that declares its clusters; null where none does. */
  readonly declaredIn: string | null;
  readonly tags: number;
  readonly keeps: number;
  readonly drops: number;
  /** What all its images take, shared blobs once, bytes. */
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

/** A folder that was not used for long. */
export interface AgedFolder {
  readonly path: string;
  /** ISO 8601, UTC. */
  readonly usedAt: string;
  readonly sizeBytes: number;
}

/** What of the local store goes and stays. */
export interface StoreDocument {
  readonly dir: string;
  readonly keep: readonly (PlannedImage & { readonly reasons: readonly Reason[] })[];
  readonly drop: readonly DroppedImage[];
  /** Of training, and long not used. */
  readonly environments: readonly AgedFolder[];
  /** That runs unpacked, and nobody runs from. */
  readonly rootFileSystems: readonly AgedFolder[];
  /** With environments, root file systems, and layers and manifests that no image has any more, bytes. */
  readonly freeBytes: number;
}

/** What `inlay prune` would do, for people and scripts. */
export interface PruneDocument {
  readonly schemaVersion: 1;
  readonly plannedAt: string;
  readonly clusters: readonly KnownCluster[];
  readonly repositories: readonly PlannedRepository[];
  readonly keep: readonly (PlannedImage & { readonly reasons: readonly Reason[] })[];
  readonly drop: readonly DroppedImage[];
  readonly freeBytes: number;
  /** Images that go whose attachments were not asked for, and so are not counted: they go with them all the same. */
  readonly attachmentsUncounted: number;
  /** What could not be known: `--yes` refuses while there is any. */
  readonly gaps: readonly Gap[];
}

export interface DocumentOptions {
  readonly now: number;
  readonly marked: readonly MarkedRepository[];
  readonly freed: Freed;
  readonly clusters: readonly KnownCluster[];
  readonly declaredIn: ReadonlyMap<string, string | undefined>;
  readonly gaps: readonly Gap[];
  readonly unasked: number;
  /** After each repository. */
  readonly tidy: () => void;
}

/** The plan as it is told. */
export function documentOf(options: DocumentOptions): PruneDocument {
  const { now, marked, freed, clusters, declaredIn, gaps, unasked, tidy } = options;
  const keep: PruneDocument['keep'][number][] = [];
  const drop: DroppedImage[] = [];
  const repositories: PlannedRepository[] = [];
  const whyItGoes = reasonsToGo(clusters.length);
  for (const at of marked) {
    const { repository } = at;
    const own = imagesOf(at, freed, whyItGoes);
    for (const image of own.keep) keep.push(image);
    for (const image of own.drop) drop.push(image);
    repositories.push({
      repository: repository.name,
      declaredIn: declaredIn.get(repository.name) ?? null,
      tags: repository.tags.size,
      keeps: own.keep.length,
      drops: own.drop.length,
      sizeBytes: bytesOf(at, repository.manifests.keys()),
      freeBytes: own.drop.reduce((sum, { freeBytes }) => sum + freeBytes, 0),
    });
    tidy();
  }
  return {
    schemaVersion: 1,
    plannedAt: new Date(now).toISOString(),
    clusters,
    repositories,
    keep,
    drop,
    freeBytes: freed.freeBytes,
    attachmentsUncounted: unasked,
    gaps,
  };
}

/** The same for the local store, which no cluster runs from. */
export function storeDocument(
  dir: string,
  { marked, freeBytes }: Pick<StorePlan, 'marked' | 'freeBytes'>,
  beside: { readonly environments: readonly OldFolder[]; readonly rootFileSystems: readonly OldFolder[] },
): StoreDocument {
  const free = freed(marked);
  const whyItGoes = reasonsToGo(undefined);
  const own = marked.map((at) => imagesOf(at, free, whyItGoes));
  return {
    dir,
    keep: own.flatMap(({ keep }) => keep),
    drop: own.flatMap(({ drop }) => drop),
    environments: beside.environments.map(aged),
    rootFileSystems: beside.rootFileSystems.map(aged),
    freeBytes: [...beside.environments, ...beside.rootFileSystems].reduce(
      (sum, { sizeBytes }) => sum + sizeBytes,
      freeBytes,
    ),
  };
}

const aged = (one: OldFolder): AgedFolder => ({ ...one, usedAt: new Date(one.usedAt).toISOString() });

function imagesOf(at: MarkedRepository, { byImage }: Freed, whyItGoes: (image: Marked) => Why) {
  const { name } = at.repository;
  const keep: PruneDocument['keep'][number][] = [];
  const drop: DroppedImage[] = [];
  for (const image of at.images) {
    const { digest, tags, parts, reasons } = image;
    const [tag] = tags;
    const reference = tag === undefined ? `${name}@${digest}` : tag === '' ? name : `${name}:${tag}`;
    const sizeBytes = bytesOf(at, parts);
    if (reasons.length > 0) keep.push({ reference, digest, tags, sizeBytes, reasons });
    else {
      const freeBytes = byImage.get(name)?.get(digest) ?? 0;
      drop.push({ reference, digest, tags, sizeBytes, freeBytes, reasons: whyItGoes(image) });
    }
  }
  return { keep, drop };
}

/** One for all images: there may be a hundred thousand. */
const counted = new Set<string>();

function bytesOf({ repository }: MarkedRepository, digests: Iterable<string>): number {
  counted.clear();
  let bytes = 0;
  const count = ({ digest, size }: Blob) => {
    if (counted.has(digest)) return;
    counted.add(digest);
    bytes += size;
  };
  for (const digest of digests) {
    const facts = repository.manifests.get(digest);
    if (!facts) continue;
    count(facts);
    for (const blob of facts.blobs) count(blob);
  }
  return bytes;
}

type Why = DroppedImage['reasons'];

const DAY_MS = 86_400_000;

/** What would have kept an image, and does not. The same for the same answer: there may be a hundred thousand. */
function reasonsToGo(clusters: number | undefined): (image: Marked) => Why {
  const asked = `${clusters} ${clusters === 1 ? 'cluster' : 'clusters'}`;
  const unused =
    clusters === undefined
      ? []
      : [{ code: 'UNUSED', detail: `nothing in ${asked} runs it, could run it or goes back to it` }];
  const known = new Map<number, Map<string | number, Why>>();
  return ({ tags, newer, since, orphan }) => {
    const day = since === undefined ? -1 : Math.floor(since / DAY_MS);
    const rank = orphan ? 'orphan' : tags.length === 0 ? 'untagged' : (newer ?? 'old');
    const ofDay = known.get(day) ?? new Map<string | number, Why>();
    known.set(day, ofDay);
    const before = ofDay.get(rank);
    if (before) return before;
    const detail = since === undefined ? 'no grace' : `there since ${new Date(since).toISOString().slice(0, 10)}`;
    const why = [...unused, rankedReason(rank), { code: 'AGED', detail }];
    ofDay.set(rank, why);
    return why;
  };
}

function rankedReason(rank: string | number): Why[number] {
  if (rank === 'orphan') return { code: 'ORPHAN', detail: 'what it is attached to is gone' };
  if (rank === 'untagged') return { code: 'UNTAGGED', detail: 'no tag names it any more' };
  if (rank === 'old') return { code: 'OLD', detail: 'others without a version are newer' };
  return { code: 'SUPERSEDED', detail: `${rank} newer ${rank === 1 ? 'version' : 'versions'}` };
}
