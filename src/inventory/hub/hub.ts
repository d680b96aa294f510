import type { Kube } from '../../cluster/index.ts';
import type { Catalogue } from '../image/catalogue.ts';
import { type ClusterLedger, serverKey } from '../ledger/cluster-ledger.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { takeWriterLock, type WriterLock } from '../ledger/writer-lock.ts';
import type { ServerRow } from '../row.ts';
import { Follower, type FollowerChange } from './follower.ts';

export interface HubOptions {
  readonly kubes: readonly Kube[];
  readonly catalogue: Catalogue;
  readonly ledger: Ledger;
  readonly all?: boolean | undefined;
  /** How often tags are asked for, ms. */
  readonly registryIntervalMs: number;
  readonly signal: AbortSignal;
  readonly onNote?: ((text: string) => void) | undefined;
}

/** A row with the name by which it changes or goes. */
export interface HubRow extends ServerRow {
  readonly id: string;
}

/** What changed, by revision. */
export interface HubChange {
  readonly revision: number;
  readonly changed: readonly HubRow[];
  readonly removed: readonly string[];
}

const BEAT_MS = 5000;
/** Changes that a reader who was cut off may still catch up on. */
const HELD = 200;

/** Follows clusters and registries, holds what runs now, and writes the ledger while it has the writer's lock. */
export class Hub {
  readonly startedAt = new Date().toISOString();
  readonly followers: readonly Follower[];
  readonly ledger: Ledger;
  readonly catalogue: Catalogue;
  readonly #options: HubOptions;
  readonly #rows = new Map<string, HubRow>();
  /** UIDs of the clusters that are followed. */
  readonly #claims = new Set<string>();
  readonly #writers = new Map<Follower, ClusterLedger>();
  readonly #changes: HubChange[] = [];
  readonly #listeners = new Set<(change: HubChange) => void>();
  /** What was said of each last. */
  readonly #states = new Map<Follower, Follower['state']>();
  #revision = 0;
  #lock: WriterLock | undefined;
  #writing: Promise<void> = Promise.resolve();
  #noted = '';

  constructor(options: HubOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    this.catalogue = options.catalogue;
    const { catalogue, all = false, signal } = options;
    this.followers = options.kubes.map(
      (kube) =>
        new Follower({
          kube,
          catalogue,
          all,
          signal,
          claim: (follower) => this.#claim(follower),
          onChange: (follower, change) => this.#changed(follower, change),
        }),
    );
  }

  get revision(): number {
    return this.#revision;
  }

  get writes(): boolean {
    return this.#lock !== undefined;
  }

  get rows(): ReadonlyMap<string, HubRow> {
    return this.#rows;
  }

  /** Whether every cluster has been listed, or is known to be another's or not to answer: one that is away hides no other. */
  get ready(): boolean {
    return this.followers.every(({ state }) => state !== 'syncing');
  }

  subscribe(listener: (change: HubChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes after a revision; undefined where they are not held any more. */
  since(revision: number): readonly HubChange[] | undefined {
    if (revision === this.#revision) return [];
    const first = this.#changes[0]?.revision;
    return first !== undefined && revision >= first - 1 && revision < this.#revision
      ? this.#changes.filter((change) => change.revision > revision)
      : undefined;
  }

  /** Until the signal ends it. */
  async run(): Promise<void> {
    const { signal, registryIntervalMs } = this.#options;
    await this.#beat();
    const beat = setInterval(() => this.#queue(() => this.#beat()), BEAT_MS);
    const registries = setInterval(() => void this.#askRegistries(), registryIntervalMs);
    await Promise.all(this.followers.map((follower) => follower.run()));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(beat);
    clearInterval(registries);
    await this.#writing;
    await this.#lock?.release();
  }

  /** Of several contexts of one cluster the first that is named is followed, whichever answers first. */
  async #claim(follower: Follower): Promise<boolean> {
    const earlier = this.followers.slice(0, this.followers.indexOf(follower));
    await Promise.all(earlier.map(({ asked }) => asked));
    const same = this.followers.find((other) => other !== follower && other.uid === follower.uid);
    if (this.#claims.has(follower.uid) || (same && earlier.includes(same))) {
      this.#options.onNote?.(
        `${follower.context}: the cluster that ${same?.context} is; it counts once, as ${same?.context}`,
      );
      return false;
    }
    this.#claims.add(follower.uid);
    return true;
  }

  /** Says once when a cluster is watched, and when it cannot be heard. */
  #tellState(follower: Follower): void {
    const { context, state, error } = follower;
    const servers = follower.rows().length;
    if (this.#states.get(follower) === state || state === 'syncing') return;
    const again = this.#states.has(follower) ? ' again' : '';
    this.#states.set(follower, state);
    this.#options.onNote?.(
      state === 'away'
        ? `${context}: cannot be watched: ${error}`
        : `${context}: watched${again}, ${servers} ${servers === 1 ? 'server' : 'servers'}`,
    );
  }

  #changed(follower: Follower, { changed, gone, whole, journals }: FollowerChange): void {
    const removed = gone.map((key) => idOf(follower.context, key)).filter((id) => this.#rows.delete(id));
    const rows = changed.map((row): HubRow => ({ id: idOf(follower.context, serverKey(row)), ...row }));
    for (const row of rows) this.#rows.set(row.id, row);
    if (rows.length > 0 || removed.length > 0) {
      const change = { revision: ++this.#revision, changed: rows, removed };
      this.#changes.push(change);
      if (this.#changes.length > HELD || whole) this.#changes.splice(0, whole ? this.#changes.length : 1);
      for (const listener of this.#listeners) listener(change);
    }
    this.#tellState(follower);
    const at = Date.now();
    if (follower.state === 'away') this.#queue(async () => this.#writers.get(follower)?.lost());
    else if (changed.length > 0 || gone.length > 0 || journals.length > 0 || whole)
      this.#queue(async () => {
        const writer = this.#writers.get(follower);
        if (!writer) return whole ? this.#beat() : undefined;
        await writer.write({ at, rows: changed, gone, whole, journals, images: this.#imagesOf(changed) });
      });
  }

  #imagesOf(rows: readonly ServerRow[]) {
    const digests = new Set(rows.flatMap(({ image }) => image.index ?? []));
    return [...digests].flatMap((digest) => this.catalogue.known(digest) ?? []);
  }

  /** One piece of work on the ledger after the other; a failure is told, and the cluster's part is read anew. */
  #queue(work: () => Promise<unknown>): void {
    this.#writing = this.#writing.then(work).then(
      () => this.#note(''),
      async (error) => {
        this.#note(`the ledger cannot be written: ${error instanceof Error ? error.message : String(error)}`);
        this.#writers.clear();
        await this.#lock?.release().catch(() => {});
        this.#lock = undefined;
      },
    );
  }

  /** Takes the lock where it is free, begins with clusters that are there, and says that they are still watched. */
  async #beat(): Promise<void> {
    const { ledger } = this;
    if (this.#lock && !(await this.#lock.held())) {
      this.#lock = undefined;
      this.#writers.clear();
    }
    this.#lock ??= await takeWriterLock(ledger.url, ledger.dialect);
    if (!this.#lock) return;
    for (const follower of this.followers) {
      if (follower.scanSeconds === undefined || follower.state === 'same-cluster' || follower.state === 'away')
        continue;
      const writer = this.#writers.get(follower);
      if (writer) await writer.heard(Date.now());
      else if (follower.state === 'watching') {
        const begun = await ledger.cluster(follower.uid, follower.context);
        const rows = follower.rows();
        await begun.write({
          at: Date.now(),
          rows,
          gone: [],
          whole: true,
          journals: follower.journals(),
          images: this.#imagesOf(rows),
        });
        this.#writers.set(follower, begun);
      }
    }
  }

  async #askRegistries(): Promise<void> {
    this.catalogue.forgetTags();
    const running = new Set([...this.#rows.values()].flatMap(({ image }) => image.index ?? []));
    for (const digest of running) {
      const facts = this.catalogue.known(digest);
      if (facts && !facts.attached.signed) await this.catalogue.refreshAttached(facts);
    }
    for (const follower of this.followers) follower.refresh();
  }

  #note(text: string): void {
    if (text !== '' && text !== this.#noted) this.#options.onNote?.(text);
    this.#noted = text;
  }
}

export function idOf(context: string, key: string): string {
  return `${context}/${key}`;
}
