import type { SQL } from 'bun';
import type { ReleaseSummary } from '../cluster/releases.ts';
import { type ImageFacts, imageFactsSchema } from '../image/facts.ts';
import type { ServerRow, Warning } from '../row.ts';
import { ClusterLedger } from './cluster-ledger.ts';
import { type Gap, gapsOf } from './interval.ts';
import { unpackRow } from './packed-row.ts';
import type { Dialect } from './schema.ts';
import { unobserved, type WatchAround } from './unobserved.ts';

/** A row of the past. */
export interface PastRow extends ServerRow {
  /** False where nobody watched at that time: then it is what was seen before, or what the cluster said of it later. */
  readonly observed: boolean;
  /** When it ended, as observed; null where it runs on. */
  readonly ranTo: string | null;
}

export interface PastInventory {
  readonly schemaVersion: 1;
  readonly observedAt: string;
  readonly servers: readonly PastRow[];
  readonly warnings: readonly Warning[];
}

/** From when to when a server ran something. */
export interface Interval {
  readonly context: string;
  readonly namespace: string;
  readonly service: string;
  readonly role: string | null;
  readonly workload: string;
  readonly version: string | null;
  readonly model: string | null;
  readonly digest: string | null;
  readonly image: string | null;
  readonly reference: string;
  readonly owner: string | null;
  readonly drift: readonly string[];
  readonly startedAt: string;
  readonly observedFrom: string;
  readonly observedTo: string | null;
  readonly actor: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly release: number | null;
}

export interface Timeline {
  readonly intervals: readonly Interval[];
  readonly gaps: readonly { readonly from: string; readonly to: string }[];
  readonly releases: readonly ReleaseSummary[];
}

/** What a repository held at a time, bytes compressed, shared blobs once. */
export interface StoragePoint {
  readonly at: string;
  readonly repository: string;
  readonly tags: number;
  readonly images: number;
  readonly sizeBytes: number;
  /** What `inlay prune` would have deleted, and freed. */
  readonly prunableImages: number;
  readonly prunableBytes: number;
}

/** A watch that was heard of so lately goes on: hubs say it every five seconds. */
const BEATS_MS = 12_000;

type Cells = Record<string, string | number | null>;

/** What ran where, from when to when, by whom and why. */
export class Ledger {
  readonly #sql: SQL;
  readonly dialect: Dialect;
  readonly url: string;
  readonly #facts = new Map<string, ImageFacts>();

  constructor(sql: SQL, dialect: Dialect, url: string) {
    this.#sql = sql;
    this.dialect = dialect;
    this.url = url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.close();
  }

  /** Begins to write about a cluster; only who holds the writer's lock may. */
  cluster(uid: string, context: string): Promise<ClusterLedger> {
    return ClusterLedger.begin(this.#sql, uid, context, (images) => {
      // None is known before they are asked for the first time, all at once.
      if (this.#facts.size > 0) for (const facts of images) this.#facts.set(facts.digest, facts);
    });
  }

  /** What ran then. @param time ms since 1970 */
  async inventoryAt(time: number): Promise<PastInventory> {
    const found = await this.#lastBegun(time);
    const watches = await this.#watchesAround(time);
    const watched = new Map(watches.map((one) => [one.cluster, one]));
    const servers: PastRow[] = [];
    for (const cells of found) {
      const { last, covers } = watched.get(Number(cells.cluster)) ?? { last: undefined, covers: false };
      const to = cells.observed_to === null ? undefined : Number(cells.observed_to);
      // What was seen until the watch broke off may have run on in the gap.
      if (to !== undefined && to <= time && !(!covers && to === last)) continue;
      const facts = await this.#image(cells.image as string | null);
      servers.push({
        ...unpackRow(cells.row as string, facts),
        context: cells.context as string,
        observed: covers && Number(cells.observed_from) <= time,
        ranTo: to === undefined ? null : iso(to),
      });
    }
    return {
      schemaVersion: 1,
      observedAt: iso(time),
      servers: inPlace(servers),
      warnings: unobserved(watches, servers),
    };
  }

  /**
   * Of each server the interval that began last. Its intervals do not overlap: that one is the only one that can hold the time, found by
   * one seek. SQLite cannot join what depends on a row (LATERAL), and finds an interval by its id at once.
   */
  #lastBegun(time: number): Promise<Cells[]> {
    return this.dialect === 'sqlite'
      ? this.#sql`
          SELECT c.context, i.observed_from, i.observed_to, i.image, i.row, s.cluster
          FROM servers s
          JOIN clusters c ON c.id = s.cluster
          JOIN intervals i ON i.id = (SELECT l.id FROM intervals l WHERE l.server = s.id AND l.starts_at <= ${time} ORDER BY l.starts_at DESC, l.id DESC LIMIT 1)`
      : this.#sql`
          SELECT c.context, i.observed_from, i.observed_to, i.image, i.row, s.cluster
          FROM servers s
          JOIN clusters c ON c.id = s.cluster
          CROSS JOIN LATERAL (SELECT l.observed_from, l.observed_to, l.image, l.row FROM intervals l WHERE l.server = s.id AND l.starts_at <= ${time} ORDER BY l.starts_at DESC, l.id DESC LIMIT 1) i`;
  }

  /** All that is known of a service. @param from, to ms since 1970 */
  async timeline(context: string, namespace: string, service: string, from: number, to: number): Promise<Timeline> {
    const intervals = await this.#intervals(
      this
        .#sql`s.namespace = ${namespace} AND s.service = ${service} AND c.context = ${context} AND i.starts_at <= ${to} AND (i.observed_to IS NULL OR i.observed_to >= ${from})`,
    );
    const watches: Cells[] = await this.#sql`
      SELECT w.watched_from, w.watched_to FROM watches w JOIN clusters c ON c.id = w.cluster
      WHERE c.context = ${context} AND w.watched_to >= ${from} AND w.watched_from <= ${to} ORDER BY w.watched_from`;
    const times: Gap[] = watches.map((cells) => ({ from: Number(cells.watched_from), to: Number(cells.watched_to) }));
    const [first, last] = [times[0]?.from ?? from, times.at(-1)?.to ?? from];
    const releases: Cells[] = await this.#sql`
      SELECT r.summary FROM releases r JOIN clusters c ON c.id = r.cluster
      WHERE c.context = ${context} AND r.namespace = ${namespace} AND r.service = ${service} ORDER BY r.number`;
    return {
      intervals,
      gaps: gapsOf(times, Math.max(from, first), Math.min(to, last)).map((gap) => ({
        from: iso(gap.from),
        to: iso(gap.to),
      })),
      releases: releases.map((cells) => JSON.parse(cells.summary as string) as ReleaseSummary),
    };
  }

  /** Where an image ran, newest first, 1000 at most. @param digest of the index */
  ran(digest: string): Promise<Interval[]> {
    return this.#intervals(this.#sql`i.image = ${digest}`);
  }

  /** Every image that ever ran. */
  async images(): Promise<ImageFacts[]> {
    const found: Cells[] = await this.#sql`SELECT digest, facts FROM images`;
    return found.flatMap((cells) => imageFactsSchema.safeParse(JSON.parse(cells.facts as string)).data ?? []);
  }

  /** One report of storage, all of it or nothing. @param time ms since 1970 */
  async recordStorage(time: number, points: readonly StoragePoint[]): Promise<void> {
    await this.#sql.begin(async (tx) => {
      for (const { repository, tags, images, sizeBytes, prunableImages, prunableBytes } of points)
        await tx`INSERT INTO storage ${tx({
          taken_at: time,
          repository,
          tags,
          images,
          size_bytes: sizeBytes,
          prunable_images: prunableImages,
          prunable_bytes: prunableBytes,
        })}`;
    });
  }

  /** When storage was recorded last, ms since 1970. */
  async lastStorageAt(): Promise<number | undefined> {
    const [cells]: Cells[] = await this.#sql`SELECT MAX(taken_at) AS last FROM storage`;
    return cells?.last === null || cells?.last === undefined ? undefined : Number(cells.last);
  }

  /** Reports of storage, oldest first. @param from, to ms since 1970 @param repository one of them, all without it */
  async storage(from: number, to: number, repository?: string): Promise<StoragePoint[]> {
    const found: Cells[] = await this.#sql`
      SELECT taken_at, repository, tags, images, size_bytes, prunable_images, prunable_bytes FROM storage
      WHERE taken_at >= ${from} AND taken_at <= ${to} AND (${repository ?? ''} = '' OR repository = ${repository ?? ''})
      ORDER BY taken_at, repository`;
    return found.map((cells) => ({
      at: iso(Number(cells.taken_at)),
      repository: cells.repository as string,
      tags: Number(cells.tags),
      images: Number(cells.images),
      sizeBytes: Number(cells.size_bytes),
      prunableImages: Number(cells.prunable_images),
      prunableBytes: Number(cells.prunable_bytes),
    }));
  }

  async #intervals(where: Bun.SQL.Query<unknown>): Promise<Interval[]> {
    const found: Cells[] = await this.#sql`
      SELECT c.context, s.namespace, s.service, s.role, s.kind, s.name, i.starts_at, i.observed_from, i.observed_to, i.digest, i.image, i.reference, i.owner, i.drift, i.actor, i.verdict, i.reason, i.release, CASE WHEN i.image IS NULL THEN i.row END AS row
      FROM intervals i JOIN servers s ON s.id = i.server JOIN clusters c ON c.id = s.cluster
      WHERE ${where} ORDER BY i.starts_at DESC, i.id DESC LIMIT 1000`;
    const intervals: Interval[] = [];
    for (const cells of found) {
      const facts = await this.#image(cells.image as string | null);
      // Of an image that nobody could look up there is what the workload said of it.
      const model = facts?.model ?? (cells.row === null ? null : unpackRow(cells.row as string, undefined).model);
      const text = (name: string) => cells[name] as string | null;
      intervals.push({
        context: text('context') ?? '',
        namespace: text('namespace') ?? '',
        service: text('service') ?? '',
        role: text('role') || null,
        workload: `${cells.kind}/${cells.name}`,
        version: model?.version ?? null,
        model: model?.name ?? null,
        digest: text('digest'),
        image: text('image'),
        reference: text('reference') ?? '',
        owner: text('owner'),
        drift: (text('drift') ?? '').split(' ').filter((kind) => kind !== ''),
        startedAt: iso(Number(cells.starts_at)),
        observedFrom: iso(Number(cells.observed_from)),
        observedTo: cells.observed_to === null ? null : iso(Number(cells.observed_to)),
        actor: text('actor'),
        verdict: text('verdict'),
        reason: text('reason'),
        release: cells.release === null ? null : Number(cells.release),
      });
    }
    return intervals;
  }

  /** Of each cluster the watches around a time. */
  async #watchesAround(time: number): Promise<WatchAround[]> {
    const found: Cells[] = await this.#sql`
      SELECT c.id, c.context, MAX(CASE WHEN w.watched_from <= ${time} THEN w.watched_to END) AS last, MIN(CASE WHEN w.watched_from > ${time} THEN w.watched_from END) AS next
      FROM clusters c JOIN watches w ON w.cluster = c.id GROUP BY c.id, c.context ORDER BY c.context`;
    return found.map((cells) => {
      const [last, next] = [cells.last, cells.next].map((at) => (at === null ? undefined : Number(at)));
      const covers = last !== undefined && (last >= time || (next === undefined && Date.now() - last < BEATS_MS));
      return { cluster: Number(cells.id), context: cells.context as string, last, next, covers };
    });
  }

  async #image(digest: string | null): Promise<ImageFacts | undefined> {
    if (digest === null) return undefined;
    const known = this.#facts.get(digest);
    if (known) return known;
    // All at once the first time: a question about the past names many.
    if (this.#facts.size === 0) for (const facts of await this.images()) this.#facts.set(facts.digest, facts);
    else {
      const [cells]: Cells[] = await this.#sql`SELECT facts FROM images WHERE digest = ${digest}`;
      const facts = cells && imageFactsSchema.safeParse(JSON.parse(cells.facts as string)).data;
      if (facts) this.#facts.set(digest, facts);
    }
    return this.#facts.get(digest);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Sorted by where they are; each place is written once. */
function inPlace(rows: readonly PastRow[]): PastRow[] {
  return rows
    .map((row) => ({ row, place: placeOf(row) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ row }) => row);
}

function placeOf(row: ServerRow): string {
  return `${row.context}\0${row.namespace}\0${row.service}\0${row.role === 'canary' ? 1 : 0}\0${row.workload.name}`;
}
