import { setTimeout as sleep } from 'node:timers/promises';
import { InlayError } from '../../error/index.ts';
import type { Ledger, StoragePoint } from '../ledger/ledger.ts';
import { paged, pageOf } from './query.ts';

/** What `inlay prune` would do, as far as the hub shows it; the room prune makes it. */
export interface PrunePreview {
  readonly plannedAt: string;
  readonly freeBytes: number;
  readonly clusters: readonly unknown[];
  readonly gaps: readonly unknown[];
  readonly repositories: readonly {
    readonly repository: string;
    readonly tags: number;
    readonly keeps: number;
    readonly drops: number;
    readonly sizeBytes: number;
    readonly freeBytes: number;
  }[];
  readonly keep: readonly PreviewImage[];
  readonly drop: readonly PreviewImage[];
}

interface PreviewImage {
  readonly reference: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly reasons: readonly { readonly code: string; readonly detail: string }[];
}

export interface PreviewOptions {
  /** Plans; reads clusters and registries. */
  readonly plan: () => Promise<PrunePreview>;
  readonly ledger: Ledger;
  /** Whether this hub writes the ledger now. */
  readonly writes: () => boolean;
  /** How often storage is recorded, ms. */
  readonly recordEveryMs: number;
  /** For how long a plan is shown, ms. */
  readonly freshMs: number;
  readonly signal: AbortSignal;
  readonly onNote?: ((text: string) => void) | undefined;
}

const LOOK_MS = 60_000;

/** Plans now and then, shows the plan, and records what repositories hold in the ledger. It deletes nothing. */
export class PruneWatch {
  readonly #options: PreviewOptions;
  #last: { readonly at: number; readonly plan: Promise<PrunePreview> } | undefined;

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  /** Records storage whenever it is due, until the signal ends it. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.record().catch((error) => {
        if (!signal.aborted) this.#options.onNote?.(`storage cannot be recorded: ${String(error)}`);
      });
      // An end that came meanwhile ends it at once.
      await sleep(Math.min(LOOK_MS, this.#options.recordEveryMs), undefined, { signal }).catch(() => {});
    }
  }

  /** Records where the last report is old enough; one hub at a time writes. */
  async record(now = Date.now()): Promise<void> {
    const { ledger, writes, recordEveryMs } = this.#options;
    if (!writes() || now - ((await ledger.lastStorageAt()) ?? 0) < recordEveryMs) return;
    const plan = await this.#options.plan();
    this.#last = { at: now, plan: Promise.resolve(plan) };
    const points = plan.repositories.map(
      ({ repository, tags, keeps, drops, sizeBytes, freeBytes }): StoragePoint => ({
        at: new Date(now).toISOString(),
        repository,
        tags,
        images: keeps + drops,
        sizeBytes,
        prunableImages: drops,
        prunableBytes: freeBytes,
      }),
    );
    if (points.length > 0) await ledger.recordStorage(now, points);
  }

  /** A page of the plan: `verdict` (keep, drop), `repository`, `q`. */
  async answer(params: URLSearchParams) {
    const plan = await this.#plan();
    const [repository, words] = [params.get('repository'), params.get('q')?.toLowerCase()];
    const images = (['drop', 'keep'] as const)
      .filter((verdict) => [null, verdict].includes(verdictOf(params)))
      .flatMap((verdict) => plan[verdict].map((image) => ({ verdict, ...image })))
      .filter(
        ({ reference }) =>
          (repository === null || reference.startsWith(`${repository}:`) || reference.startsWith(`${repository}@`)) &&
          (words === undefined || reference.toLowerCase().includes(words)),
      );
    const { page, ...rest } = paged(images, pageOf(params));
    const { plannedAt, freeBytes, clusters, gaps, repositories } = plan;
    return { plannedAt, freeBytes, clusters, gaps, repositories, ...rest, images: page };
  }

  #plan(): Promise<PrunePreview> {
    const now = Date.now();
    if (this.#last && now - this.#last.at < this.#options.freshMs) return this.#last.plan;
    const plan = this.#options.plan();
    this.#last = { at: now, plan };
    // One that failed is not shown for minutes.
    plan.catch(() => {
      if (this.#last?.plan === plan) this.#last = undefined;
    });
    return plan;
  }
}

function verdictOf(params: URLSearchParams): 'keep' | 'drop' | null {
  const verdict = params.get('verdict');
  if (verdict === null || verdict === 'keep' || verdict === 'drop') return verdict;
  throw new InlayError('USAGE', `verdict=${verdict}: expected keep or drop`, { hint: 'Leave it out for both.' });
}
