import { type Kube, watch } from '../../cluster/index.ts';
import { clusterIdentity } from '../cluster/identity.ts';
import { FOLLOWED, type Followed } from '../cluster/read.ts';
import type { SeenJournal } from '../cluster/releases.ts';
import { ClusterView } from '../cluster/view.ts';
import type { Catalogue } from '../image/catalogue.ts';
import { serverKey } from '../ledger/cluster-ledger.ts';
import type { ServerRow } from '../row.ts';
import { resolveServer } from '../scan/resolve.ts';

export interface FollowerOptions {
  readonly kube: Kube;
  readonly catalogue: Catalogue;
  readonly all: boolean;
  readonly signal: AbortSignal;
  /** A cluster whose UID has another context already is not followed. */
  readonly claim: (follower: Follower) => Promise<boolean>;
  readonly onChange: (follower: Follower, change: FollowerChange) => void;
}

export interface FollowerChange {
  readonly changed: readonly ServerRow[];
  /** Keys of servers that are gone. */
  readonly gone: readonly string[];
  /** True for the first after every listing: all that runs is in `changed`. */
  readonly whole: boolean;
  readonly journals: readonly SeenJournal[];
}

export type FollowerState = 'syncing' | 'watching' | 'away' | 'same-cluster';

/** Changes that come so close together are one, ms. */
const SETTLE_MS = 200;
const RETRY_MS = 10_000;

/** Follows one cluster: its workloads, pods and journals, and the rows that come of them. */
export class Follower {
  readonly context: string;
  uid = '';
  state: FollowerState = 'syncing';
  error: string | undefined;
  /** ms since 1970 at which the API server was last heard. */
  heardAt: number | undefined;
  /** How long the first listing took, s. */
  scanSeconds: number | undefined;
  /** How often each kind was listed from its beginning. */
  lists = 0;
  /** Settles when its cluster has been asked who it is, whatever came of that. */
  readonly asked: Promise<void>;
  readonly #asked: () => void;
  readonly #options: FollowerOptions;
  readonly #view: ClusterView;
  readonly #dirty = new Set<string>();
  readonly #rows = new Map<string, { readonly id: string; readonly row: ServerRow; readonly text: string }>();
  readonly #journals = new Map<string, SeenJournal>();
  readonly #unsynced = new Set<Followed>(FOLLOWED);
  readonly #down = new Set<Followed>();
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settling: Promise<void> = Promise.resolve();

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#asked = resolve;
    this.context = options.kube.context;
    this.#view = new ClusterView((key) => {
      this.#dirty.add(key);
      this.#settleSoon();
    });
  }

  rows(): ServerRow[] {
    return [...this.#rows.values()].map(({ row }) => row);
  }

  journals(): SeenJournal[] {
    return [...this.#view.journals()];
  }

  /** Until the signal ends it. */
  async run(): Promise<void> {
    const { kube, signal, claim } = this.#options;
    const began = performance.now();
    while (!signal.aborted) {
      try {
        this.uid = await clusterIdentity(kube);
        this.#asked();
        break;
      } catch (error) {
        this.#asked();
        if (signal.aborted) return;
        this.#away(error);
        await Bun.sleep(Math.min(RETRY_MS, 1000));
      }
    }
    if (signal.aborted) return;
    if (!(await claim(this))) {
      this.state = 'same-cluster';
      return;
    }
    await Promise.all(FOLLOWED.map((followed) => this.#follow(followed, began)));
  }

  /** Rows are made anew, as what a registry says has changed. */
  refresh(): void {
    for (const key of this.#view.keys()) this.#dirty.add(key);
    this.#settleSoon();
  }

  /** After it, all that was seen so far has been told. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  async #follow(followed: Followed, began: number): Promise<void> {
    const { kube, signal } = this.#options;
    const { resource, schema, labels, pageSize, required } = followed;
    const known = new Map<string, unknown>();
    let listed: Set<string> | undefined;
    for await (const event of watch(kube, schema, resource, { labels }, { signal, pageSize })) {
      if (event.kind === 'away') {
        // What only adds to the inventory may be forbidden.
        if (!required) this.#synced(followed, began);
        else this.#away(event.error, followed);
        continue;
      }
      // A list that is asked for has no answer yet; and as long as a part is away, the cluster is not heard.
      if (event.kind !== 'listing' && this.#down.size === 0) this.heardAt = Date.now();
      if (event.kind === 'listing') {
        listed = new Set();
        this.lists++;
      } else if (event.kind === 'seen') {
        const id = followed.id(event.item);
        listed?.add(id);
        // Only its name is kept: enough to take it away.
        known.set(id, slim(event.item));
        followed.put(this.#view, event.item);
        if (resource.kind === 'ConfigMap' && event.item !== undefined)
          this.#journals.set(id, event.item as SeenJournal);
      } else if (event.kind === 'gone') {
        known.delete(followed.id(event.item));
        followed.remove(this.#view, event.item);
      } else if (event.kind === 'synced') {
        for (const [id, item] of known) {
          if (listed?.has(id)) continue;
          known.delete(id);
          followed.remove(this.#view, item);
        }
        listed = undefined;
        this.#back(followed);
        this.#synced(followed, began);
      } else this.#back(followed);
    }
  }

  #synced(followed: Followed, began: number): void {
    if (!this.#unsynced.delete(followed) || this.#unsynced.size > 0) return;
    this.scanSeconds = (performance.now() - began) / 1000;
    for (const key of this.#view.keys()) this.#dirty.add(key);
    this.#settleSoon();
  }

  #away(error: unknown, followed?: Followed): void {
    this.state = 'away';
    this.error = error instanceof Error ? error.message : String(error);
    if (followed) this.#down.add(followed);
    this.#options.onChange(this, { changed: [], gone: [], whole: false, journals: [] });
  }

  #back(followed: Followed): void {
    if (!this.#down.delete(followed) || this.#down.size > 0) return;
    this.error = undefined;
    this.state = this.#told ? 'watching' : 'syncing';
    this.#options.onChange(this, { changed: [], gone: [], whole: false, journals: [] });
  }

  #settleSoon(): void {
    if (this.#unsynced.size > 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#settling = this.#settling.then(() => this.#settle()).catch((error) => this.#away(error));
    }, SETTLE_MS);
  }

  async #settle(): Promise<void> {
    const { catalogue, all, onChange } = this.#options;
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const changed: ServerRow[] = [];
    const gone: string[] = [];
    let next = 0;
    const worker = async () => {
      for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
        const server = this.#view.get(key);
        const row = server && (await resolveServer(server, { context: this.context, catalogue, all }));
        const before = this.#rows.get(key);
        const id = row && serverKey(row);
        if (before && before.id !== id) gone.push(before.id);
        if (!row || id === undefined) {
          this.#rows.delete(key);
          continue;
        }
        const text = JSON.stringify(row);
        if (before?.text === text) continue;
        this.#rows.set(key, { id, row, text });
        changed.push(row);
      }
    };
    await Promise.all(Array.from({ length: Math.min(256, keys.length) }, worker));
    const whole = !this.#told;
    const journals = [...this.#journals.values()];
    this.#journals.clear();
    if (!whole && changed.length === 0 && gone.length === 0 && journals.length === 0) return;
    this.#told = true;
    if (this.state === 'syncing') this.state = 'watching';
    onChange(this, { changed, gone, whole, journals });
  }
}

/** What is needed to take an object away again. */
function slim(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const { namespace, name, kind, owner, service } = item as Record<string, unknown>;
  return { namespace, name, kind, owner, service };
}
