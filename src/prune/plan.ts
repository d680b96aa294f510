import pLimit from 'p-limit';
import { InlayError, isInlayError } from '../error/index.ts';
import { parseReference, type Registry, RepositoryStock } from '../registry/index.ts';
import type { Clusters, KnownCluster, Protection } from './cluster/clusters.ts';
import type { Proof } from './cluster/journal-uses.ts';
import { freed } from './decide/free.ts';
import { type Marked, type MarkedRepository, markInTurn, samePath } from './decide/mark.ts';
import type { Policy, RepositoryState, Use, World } from './decide/world.ts';
import type { Target } from './declaration.ts';
import { documentOf, type PruneDocument } from './document.ts';
import { type Gap, gapOf } from './gap.ts';
import { Litter } from './litter.ts';
import { clockGap } from './registry/clock.ts';
import { notesDir, type RepositoryNote, readNote, writeNote } from './registry/note.ts';
import { readReferrers } from './registry/read-referrers.ts';
import { type Limit, readRepository } from './registry/read-repository.ts';
import { unfinishedSteps } from './sweep/journal.ts';

export interface PlanOptions {
  readonly registry: Registry;
  readonly targets: readonly Target[];
  readonly clusters: Clusters;
  /** Images that lock files pin. */
  readonly locked: readonly Use[];
  /** Where prune keeps what it has seen, and its journals. */
  readonly dir: string;
  /** Ms since 1970. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What goes and what stays in registries, with all that a sweep needs. */
export interface Plan {
  readonly document: PruneDocument;
  readonly marked: readonly MarkedRepository[];
}

/** Repositories at once, and requests to all of them. */
const REPOSITORIES = 4;
const REQUESTS = 32;
/** Requests between two looks at the memory. */
const TIDY_EVERY = 256;
/** Images whose attachments a plan asks for; a sweep asks for those of each. */
const MOST_ASKED = 2000;

/**
 * Reads clusters and registries and decides. What cannot be read is a gap of the plan: it is told, and nothing of the plan may be done.
 * @throws INTERRUPTED
 */
export async function planPrune(options: PlanOptions): Promise<Plan> {
  const { targets, clusters, dir, now, onProgress } = options;
  const protection = await clusters.read();
  const gaps: Gap[] = [...undeclaredGaps(targets, protection.clusters), ...protection.gaps];
  onProgress?.(`clusters ${protection.clusters.length}, images that they name ${protection.uses.length}`);
  const left = await unfinishedSteps(dir);
  const behind = targets.reduce((sum, { repository }) => sum + (left.get(repository)?.length ?? 0), 0);
  if (behind > 0) onProgress?.(`manifests that an interrupted sweep has left, looked at again: ${behind}`);
  const repositories = pLimit(REPOSITORIES);
  const requests = pLimit(REQUESTS);
  const litter = new Litter();
  const tidy = () => litter.tidy();
  let asked = 0;
  const limit: Limit = (work) => {
    if (++asked % TIDY_EVERY === 0) tidy();
    return requests(work);
  };
  const names = byRepository(protection.uses);
  const read = await Promise.all(
    targets.map(({ repository }) =>
      repositories(async () => {
        const also = new Set([...names(repository), ...(left.get(repository) ?? [])]);
        try {
          return await readTarget(options, repository, also, limit, protection);
        } catch (error) {
          gaps.push(gapUnlessStopped(repository, error));
          return undefined;
        }
      }),
    ),
  );
  const known = read.filter((one) => one !== undefined);
  const clocks = await clockGaps(known);
  gaps.push(...clocks);
  const timeless = new Set(clocks.map(({ about }) => about));
  const policies = new Map(targets.map(({ repository, policy }): [string, Policy] => [repository, policy]));
  const uses = [...protection.uses, ...options.locked];
  const world = (): World => ({ now, repositories: known.map(({ state }) => state), uses, policies });
  // What is attached to images that would go is asked for these alone; then all is decided again.
  let marked = markInTurn(world(), tidy);
  onProgress?.(`repositories ${known.length}, images ${marked.reduce((sum, { images }) => sum + images.length, 0)}`);
  let more = 0;
  let room = MOST_ASKED;
  let unasked = 0;
  await Promise.all(
    marked.map(({ repository: { name }, images }) =>
      repositories(async () => {
        const own = known.find(({ state }) => state.name === name);
        if (!own) return;
        const goes = images.filter(({ reasons }) => reasons.length === 0);
        const some = goes.slice(0, room);
        room -= some.length;
        unasked += goes.length - some.length;
        try {
          more += (await readReferrers(own.stock, own.note, parts(some), { limit, now, fresh: false })).length;
          if (!timeless.has(own.state.storage)) await writeNote(notesDir(dir), name, own.note);
          // What is written down need not be held.
          own.note.firstSeen.clear();
          own.note.referrers.clear();
          tidy();
        } catch (error) {
          gaps.push(gapUnlessStopped(name, error));
        }
      }),
    ),
  );
  if (more > 0) {
    // The first marks are let go of before the second are made.
    marked = [];
    marked = markInTurn(world(), tidy);
  }
  const free = freed(marked, tidy);
  const declaredIn = new Map(targets.map(({ repository, declaredIn: file }) => [repository, file]));
  const document = documentOf({
    now,
    marked,
    freed: free,
    clusters: protection.clusters,
    declaredIn,
    gaps,
    unasked,
    tidy,
  });
  return { document, marked };
}

/** Each registry is asked once. */
async function clockGaps(known: readonly ReadTarget[]): Promise<Gap[]> {
  const byStorage = new Map(known.map(({ state, stock }) => [state.storage, stock]));
  const asked = [...byStorage].map(([storage, stock]) =>
    clockGap(stock, storage).catch((error) => gapUnlessStopped(storage, error)),
  );
  return (await Promise.all(asked)).filter((gap) => gap !== undefined);
}

/** @throws INTERRUPTED */
function gapUnlessStopped(about: string, error: unknown): Gap {
  if (isInlayError(error) && error.code === 'INTERRUPTED') throw error;
  return gapOf(about, error);
}

function parts(images: readonly Marked[]): Set<string> {
  return new Set(images.flatMap((image) => [...image.parts]));
}

interface ReadTarget {
  readonly state: RepositoryState;
  readonly note: RepositoryNote;
  readonly stock: RepositoryStock;
}

async function readTarget(
  options: PlanOptions,
  repository: string,
  also: ReadonlySet<string>,
  limit: Limit,
  protection: Protection,
): Promise<ReadTarget> {
  const { registry, dir, now, signal } = options;
  const place = parseReference(repository);
  const stock = new RepositoryStock(registry, place, { signal });
  const note = await readNote(notesDir(dir), repository);
  const read = await readRepository({ stock, storage: place.registry, note, limit, now, also });
  if (!read)
    throw new InlayError('REGISTRY_NOT_FOUND', `${repository}: the registry has no such repository`, {
      hint: 'Look for a typing mistake; a registry may also hide what the login may not see.',
    });
  return { ...read, state: { ...read.state, since: withProofs(read.state, protection.proofs) }, stock };
}

/** A release proves that its image was there. */
function withProofs({ name, since }: RepositoryState, proofs: readonly Proof[]): ReadonlyMap<string, number> {
  const all = new Map(since);
  for (const { digest, path, at } of proofs)
    if (samePath(name, path) && at < (all.get(digest) ?? Number.POSITIVE_INFINITY)) all.set(digest, at);
  return all;
}

/** The digests that clusters name in a repository: they may be there without a tag. */
function byRepository(uses: readonly Use[]): (repository: string) => readonly string[] {
  const digests = new Map<string, Set<string>>();
  for (const { digest, path } of uses) {
    if (digest === undefined || path === undefined) continue;
    const known = digests.get(path);
    if (known) known.add(digest);
    else digests.set(path, new Set([digest]));
  }
  return (repository) => [...digests].filter(([path]) => samePath(repository, path)).flatMap(([, all]) => [...all]);
}

function undeclaredGaps(targets: readonly Target[], clusters: readonly KnownCluster[]): Gap[] {
  const known = clusters.map(({ context, uid }) => ` ${context} is ${uid}.`).join('');
  return targets
    .filter(({ clusters }) => clusters === undefined)
    .map(({ repository }) => ({
      about: repository,
      code: 'PRUNE_UNDECLARED',
      message: 'no file says which clusters may run its images',
      hint: `Write prune: {clusters: [UID, …]} into the inlay.yaml of its project, or into a file for --config (docs/prune.md).${known}`,
    }));
}
