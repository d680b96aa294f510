import type { SQL, TransactionSQL } from 'bun';
import type { SeenJournal } from '../cluster/releases.ts';
import type { ImageFacts } from '../image/facts.ts';
import type { ServerRow } from '../row.ts';
import { goesOn, type IntervalFacts, intervalFacts, startsAt } from './interval.ts';
import { packRow } from './packed-row.ts';

interface Open {
  readonly server: number;
  /** Undefined for a server that does not run now. */
  readonly interval: number | undefined;
  readonly facts: IntervalFacts | undefined;
  readonly release: string;
  /** When it last ran. */
  readonly endedAt: number | undefined;
}

/** Rows in one INSERT: databases limit the values of a statement. */
const CHUNK = 400;

/** What changed in a cluster. */
export interface Changes {
  /** ms since 1970. */
  readonly at: number;
  readonly rows: readonly ServerRow[];
  /** Servers that are gone, by `serverKey`. */
  readonly gone: readonly string[];
  /** True where `rows` is all that runs: what is not among them is gone. */
  readonly whole: boolean;
  readonly journals: readonly SeenJournal[];
  /** Facts of images that rows name: those that the ledger has not, or has without what was attached since, are written. */
  readonly images: readonly ImageFacts[];
}

/** A server's name in its cluster. */
export function serverKey(row: Pick<ServerRow, 'namespace' | 'workload' | 'role'>): string {
  return `${row.namespace}/${row.workload.kind}/${row.workload.name}/${row.role ?? ''}`;
}

/** Writes one cluster's part of the ledger, while it holds the writer's lock. Each call is one transaction. */
export class ClusterLedger {
  readonly #sql: SQL;
  readonly #cluster: number;
  readonly #open: Map<string, Open>;
  /** What was attached to an image when it was written, by digest; undefined where another has written it. */
  readonly #images: Map<string, string | undefined>;
  readonly #onImages: (images: readonly ImageFacts[]) => void;
  /** Until when the cluster had been watched before. */
  #lastWatched: number | undefined;
  #heardAt: number | undefined;
  #watch: number | undefined;

  private constructor(
    sql: SQL,
    cluster: number,
    open: Map<string, Open>,
    images: Map<string, string | undefined>,
    last: number | undefined,
    onImages: (images: readonly ImageFacts[]) => void,
  ) {
    this.#sql = sql;
    this.#cluster = cluster;
    this.#open = open;
    this.#images = images;
    this.#lastWatched = last;
    this.#onImages = onImages;
  }

  /** @param onImages told of facts that were written */
  static async begin(
    sql: SQL,
    uid: string,
    context: string,
    onImages: (images: readonly ImageFacts[]) => void,
  ): Promise<ClusterLedger> {
    await sql`INSERT INTO clusters ${sql({ uid, context })} ON CONFLICT (uid) DO UPDATE SET context = excluded.context`;
    const [{ id }] = await sql`SELECT id FROM clusters WHERE uid = ${uid}`;
    const cluster = Number(id);
    const [{ last }] = await sql`SELECT MAX(watched_to) AS last FROM watches WHERE cluster = ${cluster}`;
    const open = new Map<string, Open>();
    const servers = await sql`
      SELECT s.id, s.namespace, s.kind, s.name, s.role, i.id AS interval_id, i.observed_to, i.digest, i.image, i.reference, i.owner, i.drift, i.actor, i.verdict, i.reason, i.release
      FROM servers s LEFT JOIN intervals i ON i.id = (SELECT l.id FROM intervals l WHERE l.server = s.id ORDER BY l.starts_at DESC, l.id DESC LIMIT 1)
      WHERE s.cluster = ${cluster}`;
    for (const row of servers as Record<string, string | number | null>[]) {
      const runs = row.interval_id !== null && row.observed_to === null;
      open.set(`${row.namespace}/${row.kind}/${row.name}/${row.role}`, {
        server: Number(row.id),
        interval: runs ? Number(row.interval_id) : undefined,
        facts: runs ? (row as unknown as IntervalFacts) : undefined,
        release: releaseText({
          number: row.release === null ? null : Number(row.release),
          actor: row.actor as string | null,
          verdict: row.verdict as string | null,
          reason: row.reason as string | null,
        }),
        endedAt: row.observed_to === null ? undefined : Number(row.observed_to),
      });
    }
    const digests: { digest: string }[] = await sql`SELECT digest FROM images`;
    const images = new Map(digests.map(({ digest }): [string, undefined] => [digest, undefined]));
    return new ClusterLedger(sql, cluster, open, images, last === null ? undefined : Number(last), onImages);
  }

  /** @returns how many intervals began or ended */
  async write({ at, rows, gone, whole, journals, images }: Changes): Promise<number> {
    const next = new Map<string, Open>();
    let changed = 0;
    const watch = this.#watch;
    const news = images.filter((facts) => this.#images.get(facts.digest) !== attachedText(facts));
    const writing = this.#sql.begin(async (tx) => {
      const first = this.#watch === undefined;
      await this.#heard(tx, at);
      // What ended while nobody watched was last seen when somebody did.
      const endedAt = first ? (this.#lastWatched ?? at) : at;
      await this.#putImages(tx, news);
      for (const journal of journals) await this.#putReleases(tx, journal);
      await this.#putServers(tx, rows, at, next);
      const opened: Record<string, string | number | null>[] = [];
      const seen = new Set<string>();
      for (const row of rows) {
        const key = serverKey(row);
        seen.add(key);
        const known = next.get(key) ?? this.#open.get(key);
        if (!known) continue;
        const facts = intervalFacts(row);
        const note = noteOf(row);
        if (known.interval !== undefined && known.facts && goesOn(known.facts, facts)) {
          if (
            releaseText(note) === known.release &&
            known.facts.digest === facts.digest &&
            known.facts.image === facts.image
          )
            continue;
          await tx`UPDATE intervals SET ${tx({ ...columns(note), digest: facts.digest ?? known.facts.digest, image: facts.image ?? known.facts.image, row: packRow(row) })} WHERE id = ${known.interval}`;
          next.set(key, {
            ...known,
            facts: { ...facts, digest: facts.digest ?? known.facts.digest, image: facts.image ?? known.facts.image },
            release: releaseText(note),
          });
          continue;
        }
        changed++;
        if (known.interval !== undefined) await close(tx, known.interval, endedAt);
        const previousEnd = known.interval === undefined ? known.endedAt : endedAt;
        const since = row.since === null ? undefined : Date.parse(row.since);
        opened.push({
          server: known.server,
          starts_at: startsAt(since, at, previousEnd),
          observed_from: at,
          observed_to: null,
          ...facts,
          row: packRow(row),
          ...columns(note),
        });
        next.set(key, { ...known, interval: -1, facts, release: releaseText(note), endedAt: undefined });
      }
      const ended = whole ? [...this.#open.keys()].filter((key) => !seen.has(key)) : gone;
      for (const key of ended) {
        const known = this.#open.get(key);
        if (known?.interval === undefined) continue;
        changed++;
        await close(tx, known.interval, endedAt);
        next.set(key, { ...known, interval: undefined, facts: undefined, endedAt });
      }
      for (let i = 0; i < opened.length; i += CHUNK) await tx`INSERT INTO intervals ${tx(opened.slice(i, i + CHUNK))}`;
      if (opened.length > 0) {
        const ids = new Map<number, number>();
        for (const row of await tx`SELECT i.id, i.server FROM intervals i JOIN servers s ON s.id = i.server WHERE s.cluster = ${this.#cluster} AND i.observed_to IS NULL AND i.observed_from = ${at}`)
          ids.set(Number(row.server), Number(row.id));
        for (const [key, one] of next)
          if (one.interval === -1) next.set(key, { ...one, interval: ids.get(one.server) });
      }
    });
    try {
      await writing;
    } catch (error) {
      // Nothing of it was written.
      this.#watch = watch;
      throw error;
    }
    this.#heardAt = at;
    for (const [key, one] of next) this.#open.set(key, one);
    for (const facts of news) this.#images.set(facts.digest, attachedText(facts));
    if (news.length > 0) this.#onImages(news);
    return changed;
  }

  /** The cluster is still watched. */
  async heard(at: number): Promise<void> {
    await this.#heard(this.#sql, at);
    this.#heardAt = at;
  }

  /** The cluster cannot be heard: what comes next begins a watch of its own, and what is between is a gap. */
  lost(): void {
    this.#watch = undefined;
    this.#lastWatched = this.#heardAt ?? this.#lastWatched;
  }

  async #heard(sql: SQL | TransactionSQL, at: number): Promise<void> {
    if (this.#watch !== undefined) {
      await sql`UPDATE watches SET watched_to = ${at} WHERE id = ${this.#watch}`;
      return;
    }
    const [{ id }] =
      await sql`INSERT INTO watches ${sql({ cluster: this.#cluster, watched_from: at, watched_to: at })} RETURNING id`;
    this.#watch = Number(id);
  }

  async #putImages(tx: TransactionSQL, images: readonly ImageFacts[]): Promise<void> {
    const added = images.map((facts) => ({ digest: facts.digest, facts: JSON.stringify(facts) }));
    for (let i = 0; i < added.length; i += CHUNK)
      await tx`INSERT INTO images ${tx(added.slice(i, i + CHUNK))} ON CONFLICT (digest) DO UPDATE SET facts = excluded.facts`;
  }

  async #putReleases(tx: TransactionSQL, { namespace, service, releases }: SeenJournal): Promise<void> {
    for (const release of releases)
      await tx`INSERT INTO releases ${tx({ cluster: this.#cluster, namespace, service, number: release.number, summary: JSON.stringify(release) })}
        ON CONFLICT (cluster, namespace, service, number) DO UPDATE SET summary = excluded.summary`;
  }

  async #putServers(
    tx: TransactionSQL,
    rows: readonly ServerRow[],
    at: number,
    next: Map<string, Open>,
  ): Promise<void> {
    const added = rows.filter((row) => !this.#open.has(serverKey(row)));
    for (let i = 0; i < added.length; i += CHUNK) {
      const values = added.slice(i, i + CHUNK).map((row) => ({
        cluster: this.#cluster,
        namespace: row.namespace,
        service: row.service,
        kind: row.workload.kind,
        name: row.workload.name,
        role: row.role ?? '',
        first_seen: at,
      }));
      for (const row of await tx`INSERT INTO servers ${tx(values)} RETURNING id, namespace, kind, name, role`)
        next.set(`${row.namespace}/${row.kind}/${row.name}/${row.role}`, {
          server: Number(row.id),
          interval: undefined,
          facts: undefined,
          release: '',
          endedAt: undefined,
        });
    }
  }
}

async function close(tx: TransactionSQL, interval: number, at: number): Promise<void> {
  await tx`UPDATE intervals SET observed_to = CASE WHEN observed_from > ${at} THEN observed_from ELSE ${at} END WHERE id = ${interval}`;
}

interface Note {
  readonly number: number | null;
  readonly actor: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
}

/** Who let it run, and why. Of what somebody changed by hand no release tells. */
function noteOf({ release, drift }: ServerRow): Note {
  const byHand = drift.some(({ kind }) => kind === 'differs-from-applied');
  const { number = null, actor = null, verdict = null, reason = null } = (byHand ? null : release) ?? {};
  return { number, actor, verdict, reason };
}

function columns({ number, actor, verdict, reason }: Note) {
  return { release: number, actor, verdict, reason };
}

function releaseText({ number, actor, verdict, reason }: Note): string {
  return JSON.stringify([number, actor, verdict, reason]);
}

/** A signature may come at any time: of all that is known of an image this alone changes. */
function attachedText({ attached }: ImageFacts): string {
  return JSON.stringify(attached);
}
