import { InlayError, isInlayError } from '../../error/index.ts';
import { type Erased, parseReference, type Registry, RepositoryStock } from '../../registry/index.ts';
import type { Clusters } from '../cluster/clusters.ts';
import { freedBytes } from '../decide/free.ts';
import type { Marked, MarkedRepository } from '../decide/mark.ts';
import { type Step, sweepOrder } from '../decide/order.ts';
import type { Use } from '../decide/world.ts';
import { type Gap, gapOf } from '../gap.ts';
import type { Plan } from '../plan.ts';
import { notesDir, readNote, writeNote } from '../registry/note.ts';
import { GapsFound, Guard } from './guard.ts';
import { type Done, OpenJournal } from './journal.ts';
import { holdSweep } from './lock.ts';
import { Pace } from './pace.ts';

export interface SweepOptions {
  readonly plan: Plan;
  /** When the plan began to read, by performance.now(). */
  readonly readAt: number;
  readonly registry: Registry;
  readonly clusters: Clusters;
  readonly locked: readonly Use[];
  /** prune's own folder. */
  readonly dir: string;
  /** Who does it, for the journal. */
  readonly actor: string;
  /** Deletions a second. */
  readonly rate: number;
  readonly signal?: AbortSignal | undefined;
  readonly onDone?: ((event: SweptManifest) => void) | undefined;
}

export interface SweptManifest {
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly outcome: Erased | 'spared';
  readonly why?: string | undefined;
}

/** What a sweep did. */
export interface SweepResult {
  readonly deleted: number;
  /** Their tags are gone; they themselves go with the registry's own collection of what has none. */
  readonly untagged: number;
  readonly absent: number;
  readonly spared: readonly { readonly reference: string; readonly digest: string; readonly why: string }[];
  /** What no manifest that is left names, bytes: the registry's own collection frees it. */
  readonly freeBytes: number;
  /** Repositories that were left as they were, or in part. */
  readonly failures: readonly Gap[];
}

/**
 * Does what a plan says, one manifest after the other, each looked at again just before. May be killed anywhere and begun anew: the next
 * plan knows what this one has left.
 * @throws PRUNE_REFUSED for a plan with gaps, and when a cluster is lost on the way; PRUNE_BUSY; INTERRUPTED
 */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { plan, dir, actor, signal } = options;
  refuseGaps(plan.document.gaps);
  using _ = await holdSweep(dir);
  // However long somebody looked at the plan.
  refuseGaps((await options.clusters.read()).gaps);
  const steps = plan.marked.flatMap(sweepOrder);
  const planned = new Set(plan.marked.map(({ repository }) => repository.name));
  const byRepository = Map.groupBy(steps, ({ repository }) => repository);
  const failures: Gap[] = [];
  const places: RepositorySweep[] = [];
  for (const marked of plan.marked) {
    const own = byRepository.get(marked.repository.name);
    if (!own) continue;
    const place = new RepositorySweep(marked, own, options);
    // Before anything is gone anywhere: a login that may not delete is told at once.
    if (await tell(failures, marked.repository.name, () => place.mayDelete())) places.push(place);
  }
  const journal = await OpenJournal.begin(dir, steps, { actor, planned });
  let unfinished = false;
  for (const place of places) {
    const went = await tell(failures, place.name, () => place.run(journal));
    await forget(dir, place.name, journal.done);
    if (went) continue;
    unfinished = true;
    if (signal?.aborted) break;
  }
  for (const { name } of plan.marked.map(({ repository }) => repository))
    if (!places.some((place) => place.name === name))
      for (const step of byRepository.get(name) ?? []) await journal.wrote(step, 'refused');
  if (!unfinished) await journal.end();
  const gone = new Set(
    journal.done.flatMap(({ repository, digest, outcome }) =>
      outcome === 'spared' || outcome === 'refused' ? [] : [`${repository}@${digest}`],
    ),
  );
  const count = (outcome: string) => journal.done.filter((one) => one.outcome === outcome).length;
  return {
    deleted: count('deleted'),
    untagged: count('untagged'),
    absent: count('absent'),
    spared: places.flatMap(({ spared }) => spared),
    freeBytes: freedBytes(plan.marked, (repository, digest) => gone.has(`${repository}@${digest}`)),
    failures,
  };
}

/** What went is remembered no more; nor is what only the registry's own collection can take. */
async function forget(dir: string, repository: string, done: readonly Done[]): Promise<void> {
  const note = await readNote(notesDir(dir), repository);
  for (const one of done)
    if (one.repository === repository && one.outcome !== 'spared' && one.outcome !== 'refused') {
      note.manifests.delete(one.digest);
      note.firstSeen.delete(one.digest);
    }
  await writeNote(notesDir(dir), repository, note);
}

/** @throws PRUNE_REFUSED */
export function refuseGaps(gaps: readonly Gap[]): void {
  if (gaps.length === 0) return;
  const [first] = gaps;
  const lines = gaps.map(
    ({ about, code, message, hint }) => `${about}: ${code}: ${message}${hint ? `\n      ${hint}` : ''}`,
  );
  throw new InlayError(
    'PRUNE_REFUSED',
    `nothing is deleted on partial knowledge; missing ${gaps.length === 1 ? 'is' : 'are'}:\n    ${lines.join('\n    ')}`,
    { hint: first?.hint === undefined ? 'inlay prune without --yes tells the same.' : 'Mend that, then run it again.' },
  );
}

/** @returns whether it was done; what only concerns one repository does not stop the others */
async function tell(failures: Gap[], about: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof GapsFound) refuseGaps(error.gaps);
    if (!isInlayError(error) || error.code === 'INTERRUPTED' || error.code === 'PRUNE_REFUSED') throw error;
    failures.push(gapOf(about, error));
    return false;
  }
}

/** The sweep of one repository. */
class RepositorySweep {
  readonly name: string;
  readonly spared: { reference: string; digest: string; why: string }[] = [];
  readonly #steps: readonly Step[];
  readonly #known: ReadonlySet<string>;
  readonly #images: ReadonlyMap<string, Marked>;
  readonly #stock: RepositoryStock;
  readonly #guard: Guard;
  readonly #pace: Pace;
  readonly #options: SweepOptions;

  constructor(marked: MarkedRepository, steps: readonly Step[], options: SweepOptions) {
    const { registry, clusters, locked, signal, rate, readAt } = options;
    this.name = marked.repository.name;
    this.#steps = steps;
    this.#options = options;
    this.#known = new Set(steps.map(({ digest }) => digest));
    this.#images = new Map(marked.images.map((image) => [image.digest, image]));
    const place = parseReference(this.name);
    this.#stock = new RepositoryStock(registry, place, { actions: ['pull', 'delete'], signal });
    this.#guard = new Guard(marked, { stock: this.#stock, clusters, locked, readAt });
    this.#pace = new Pace(rate);
  }

  /** @throws REGISTRY_UNAUTHORIZED */
  async mayDelete(): Promise<void> {
    await this.#stock.mayDelete();
  }

  async run(journal: OpenJournal): Promise<void> {
    for (const [at, step] of this.#steps.entries()) {
      const image = this.#images.get(step.digest);
      const own = step.digest === step.image && image !== undefined;
      const attached = own && !this.#guard.stays(step.digest) ? await this.#image(image) : [];
      const more = attached
        .filter(({ digest }) => !this.#known.has(digest))
        .map(({ digest }): Step => ({ repository: this.name, digest, tags: [], image: step.digest }));
      await journal.adds(more);
      const why = await this.#guard.manifest(step.digest);
      if (why !== undefined) {
        await this.#done(journal, step, 'spared', why);
        continue;
      }
      try {
        await this.#erase(journal, step);
      } catch (error) {
        // A registry that deletes nothing has deleted nothing: there is nothing to go on with.
        if (isInlayError(error) && error.code === 'REGISTRY_UNSUPPORTED')
          for (const left of this.#steps.slice(at)) await journal.wrote(left, 'refused');
        throw error;
      }
      for (const one of more) await this.#erase(journal, one);
    }
  }

  /** @returns what was attached since the plan, if the image goes */
  async #image(image: Marked) {
    const found = await this.#guard.image(image);
    if ('attached' in found) return found.attached;
    const [tag] = image.tags;
    const reference = tag === undefined ? `${this.name}@${image.digest}` : `${this.name}:${tag}`;
    this.spared.push({ reference, digest: image.digest, why: found.why });
    return [];
  }

  async #erase(journal: OpenJournal, step: Step): Promise<void> {
    const { signal } = this.#options;
    await this.#pace.turn(signal);
    if (signal?.aborted)
      throw new InlayError('INTERRUPTED', `stopped before ${step.digest} of ${this.name} was deleted`, {
        hint: 'Run it again: it goes on from there.',
      });
    const outcome = await this.#stock.erase(step.digest, step.tags);
    await this.#done(journal, step, outcome);
  }

  async #done(journal: OpenJournal, step: Step, outcome: SweptManifest['outcome'], why?: string): Promise<void> {
    await journal.wrote(step, outcome);
    const { repository, digest, tags } = step;
    this.#options.onDone?.({ repository, digest, tags, outcome, why });
  }
}
