import { INLAY_VERSION } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import type { RegistryReader } from '../../registry/index.ts';
import { digestsOf, type ImageFacts } from '../image/facts.ts';
import { databaseName } from '../ledger/open.ts';
import { matchesLibrary, parseLibraryQuery } from '../question/library-query.ts';
import { answers, parsePastTime, parseTime } from '../question/question.ts';
import type { ServerRow } from '../row.ts';
import { briefOf } from './brief.ts';
import { compareImages } from './compare.ts';
import type { Hub } from './hub.ts';
import type { PruneWatch } from './prune-preview.ts';
import { facetsOf, isBrief, paged, pageOf, questionOf, sorted } from './query.ts';
import { type RepositoryStorage, readStorage } from './storage.ts';

export interface ApiOptions {
  readonly hub: Hub;
  readonly reader: RegistryReader;
  /** The whole contract of an image, from its registry. */
  readonly contractOf: (image: ImageFacts) => Promise<unknown>;
  readonly registryIntervalMs: number;
  /** Plans of pruning, where the hub makes them. */
  readonly prune?: PruneWatch | undefined;
}

const YEAR_MS = 365 * 86_400_000;

type Handler = (params: URLSearchParams, path: readonly string[]) => Promise<unknown> | unknown;

/** What the hub answers, by the first word after /api/; docs/hub.md says each. */
export class Api {
  readonly #options: ApiOptions;
  readonly #contracts = new Map<string, unknown>();
  #storage:
    | { readonly at: number; readonly answer: Promise<{ readAt: string; repositories: RepositoryStorage[] }> }
    | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** @throws USAGE; NOT_FOUND as undefined */
  async answer(path: string, params: URLSearchParams): Promise<unknown> {
    const [word = '', ...rest] = path.split('/').map(decodeURIComponent);
    const handler = this.#routes[word];
    return handler?.(params, rest);
  }

  readonly #routes: Readonly<Record<string, Handler>> = {
    now: (params) => {
      const { hub } = this.#options;
      const { page, ...rest } = paged(sorted(this.#rows(params), params), pageOf(params));
      return { observedAt: new Date().toISOString(), revision: hub.revision, ...rest, servers: shown(page, params) };
    },
    at: async (params) => {
      const time = parsePastTime(params.get('time') ?? '', Date.now());
      const past = await this.#options.hub.ledger.inventoryAt(time);
      const question = questionOf(params);
      const rows = past.servers.filter((row) => answers(row, question));
      const { page, ...rest } = paged(sorted(rows, params), pageOf(params));
      const { context } = question;
      const warnings = past.warnings.filter(({ about }) => context === undefined || about === context);
      const observed = rows.every((row) => row.observed) && warnings.length === 0;
      return { at: past.observedAt, observed, warnings, ...rest, servers: shown(page, params) };
    },
    facets: (params) => facetsOf(this.#rows(params)),
    services: async (params, [context, namespace, service, word]) => {
      if (!context || !namespace || !service || word !== 'timeline') return undefined;
      const now = Date.now();
      const time = (name: string, otherwise: number) =>
        params.get(name) ? parseTime(params.get(name) as string, now) : otherwise;
      const timeline = await this.#options.hub.ledger.timeline(
        context,
        namespace,
        service,
        time('from', 0),
        time('to', now),
      );
      return { context, namespace, service, ...timeline };
    },
    versions: async (params, [digest = '']) => {
      const image = await this.#image(digest);
      if (!image) return undefined;
      const { hub } = this.#options;
      const digests = digestsOf(image);
      const running = [...hub.rows.values()].filter(
        (row) => row.image.digest !== null && digests.includes(row.image.digest),
      );
      const ran = await hub.ledger.ran(image.digest);
      return { image, ...(await this.#contract(image)), running: shown(running, params), ran };
    },
    compare: async (params) => {
      const [a, b] = await Promise.all([this.#image(params.get('a') ?? ''), this.#image(params.get('b') ?? '')]);
      if (!a || !b) return undefined;
      const [one, two] = await Promise.all([this.#contract(a), this.#contract(b)]);
      return { a, b, changes: compareImages(a, b, { a: metricsOf(one.contract), b: metricsOf(two.contract) }) };
    },
    images: async (params) => {
      const { hub } = this.#options;
      const counts = this.#runningByImage();
      const library = params.get('library') ? parseLibraryQuery(params.get('library') as string) : undefined;
      const [model, words, runs] = [
        params.get('model'),
        params.get('q')?.toLowerCase().split(/\s+/) ?? [],
        params.get('running'),
      ];
      const all = new Map((await hub.ledger.images()).map((image) => [image.digest, image]));
      for (const image of hub.catalogue.images()) all.set(image.digest, image);
      const found = [...all.values()].filter((image) => {
        const text =
          `${image.repository} ${image.model?.name} ${image.model?.version} ${image.os} ${image.owner} ${image.digest}`.toLowerCase();
        return (
          (!library || matchesLibrary(image.libraries, library)) &&
          (!model || image.model?.name === model) &&
          words.every((word) => text.includes(word)) &&
          (runs === null || (runs === 'true') === (counts.get(image.digest) ?? 0) > 0)
        );
      });
      const key = (image: ImageFacts) => `${image.repository}\0${image.model?.version ?? ''}\0${image.digest}`;
      const { page, ...rest } = paged(
        found.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
        pageOf(params),
      );
      return {
        ...rest,
        images: page.map(({ digest, repository, model: one, os, inlay, owner, attached, sizeBytes, created }) => ({
          digest,
          repository,
          model: one,
          os,
          inlay,
          owner,
          signed: attached.signed,
          sizeBytes,
          created,
          running: counts.get(digest) ?? 0,
        })),
      };
    },
    prune: (params) => this.#options.prune?.answer(params),
    storage: async (params, [word]) => {
      if (word === 'history') return this.#storageHistory(params);
      if (word !== undefined) return undefined;
      const { registryIntervalMs } = this.#options;
      if (!this.#storage || performance.now() - this.#storage.at > registryIntervalMs)
        this.#storage = { at: performance.now(), answer: this.#readStorage() };
      return this.#storage.answer;
    },
    status: () => {
      const { hub } = this.#options;
      return {
        version: INLAY_VERSION,
        writer: hub.writes,
        database: databaseName(hub.ledger.url),
        startedAt: hub.startedAt,
        clusters: hub.followers.map(({ context, uid, state, heardAt, error, scanSeconds }) => ({
          context,
          uid: uid || null,
          state,
          lastObservedAt: heardAt === undefined ? null : new Date(heardAt).toISOString(),
          scanSeconds: scanSeconds ?? null,
          servers: [...hub.rows.values()].filter((row) => row.context === context).length,
          error: error ?? null,
        })),
        registries: hub.catalogue.warnings,
      };
    },
  };

  async #storageHistory(params: URLSearchParams) {
    const now = Date.now();
    const time = (name: string, otherwise: number) => {
      const text = params.get(name);
      return text ? parseTime(text, now) : otherwise;
    };
    const [from, to] = [time('from', now - YEAR_MS), time('to', now)];
    const points = await this.#options.hub.ledger.storage(from, to, params.get('repository') ?? undefined);
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), points };
  }

  #rows(params: URLSearchParams) {
    const question = questionOf(params);
    return [...this.#options.hub.rows.values()].filter((row) => answers(row, question));
  }

  #runningByImage(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { image } of this.#options.hub.rows.values())
      if (image.index !== null) counts.set(image.index, (counts.get(image.index) ?? 0) + 1);
    return counts;
  }

  async #image(digest: string): Promise<ImageFacts | undefined> {
    const { hub } = this.#options;
    if (!/^sha256:[0-9a-f]{64}$/.test(digest))
      throw new InlayError('USAGE', `"${digest}" is no digest`, { hint: 'sha256: and 64 hexadecimal digits.' });
    return (
      hub.catalogue.known(digest) ?? (await hub.ledger.images()).find((image) => digestsOf(image).includes(digest))
    );
  }

  async #contract(image: ImageFacts): Promise<{ readonly contract: unknown; readonly contractUnknown?: string }> {
    if (image.builtBy !== 'inlay') return { contract: null, contractUnknown: 'inlay did not build the image' };
    const known = this.#contracts.get(image.digest);
    if (known !== undefined) return { contract: known };
    try {
      const contract = await this.#options.contractOf(image);
      if (this.#contracts.size > 200) this.#contracts.clear();
      this.#contracts.set(image.digest, contract);
      return { contract };
    } catch (error) {
      return { contract: null, contractUnknown: error instanceof Error ? error.message : String(error) };
    }
  }

  async #readStorage() {
    const { hub, reader } = this.#options;
    const running = new Map<string, number>();
    for (const image of hub.catalogue.images()) if (!running.has(image.repository)) running.set(image.repository, 0);
    for (const { image } of hub.rows.values()) {
      const facts = hub.catalogue.known(image.index ?? undefined);
      if (facts) running.set(facts.repository, (running.get(facts.repository) ?? 0) + 1);
    }
    const repositories: RepositoryStorage[] = [];
    for (const [repository, count] of running) repositories.push(await readStorage(reader, repository, count));
    return { readAt: new Date().toISOString(), repositories: repositories.sort((a, b) => b.sizeBytes - a.sizeBytes) };
  }
}

/** Rows whole, or as lists show them. */
function shown(rows: readonly ServerRow[], params: URLSearchParams) {
  if (!isBrief(params)) return rows;
  const { library } = questionOf(params);
  return rows.map((row) => briefOf(row, library));
}

function metricsOf(contract: unknown): Readonly<Record<string, number>> {
  const metrics =
    typeof contract === 'object' && contract !== null && 'metrics' in contract ? contract.metrics : undefined;
  return typeof metrics === 'object' && metrics !== null ? (metrics as Record<string, number>) : {};
}
