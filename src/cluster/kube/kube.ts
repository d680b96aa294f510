import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import type { Connection } from './connection.ts';
import { failureOf, isNotFound, isTransientStatus } from './failure.ts';
import { Outage } from './outage.ts';
import { Patience } from './patience.ts';
import { pathOf, type Resource, resourceOf } from './resources.ts';
import { type Silence, silenceOf } from './silence.ts';

/** An object that inlay writes. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

export interface KubeOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long an API server that is away is waited for, ms. */
  readonly patienceMs?: number | undefined;
  /** Takes a line when the API server is away, and when it is back. */
  readonly onOutage?: ((line: string) => void) | undefined;
}

export interface ApiRequest {
  /** What it is for, in errors: `reading Deployment ml/iris`. */
  readonly step: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Stops this request alone. */
  readonly signal?: AbortSignal | undefined;
}

const PATIENCE_MS = 60_000;
const ANSWER_MS = 30_000;
/** Whoever waits longer for an answer is told so, ms. */
const SLOW_MS = 5000;
/** Objects a page of a list: what kubectl asks for. */
const PAGE = 500;

export interface ListQuery {
  readonly namespace?: string | undefined;
  readonly labels?: string | undefined;
  readonly fields?: string | undefined;
}

const listSchema = z.object({
  metadata: z.object({ continue: z.string().optional(), resourceVersion: z.string().default('') }),
  items: z.array(z.unknown()).nullable(),
});

/** The Kubernetes API of one context. Every request may be made twice: an API server that is away is waited for. */
export class Kube {
  readonly connection: Connection;
  readonly #signal: AbortSignal | undefined;
  readonly #patienceMs: number;
  readonly #outage: Outage;
  /** How far the API server's clock is before this machine's; as long as it has not said, they are taken for the same. */
  #aheadMs = 0;

  constructor(connection: Connection, options: KubeOptions = {}) {
    this.connection = connection;
    this.#signal = options.signal;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#outage = new Outage(options.onOutage);
  }

  get context(): string {
    return this.connection.context;
  }

  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** The time at the API server, ms since 1970, by its last answer: what machines write there to each other is told by one clock. */
  get now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** @returns undefined when there is no such object @throws CLUSTER_… */
  async find<T>(schema: z.ZodType<T>, resource: Resource, name: string, namespace?: string): Promise<T | undefined> {
    const path = pathOf(resource, namespace, name);
    try {
      return parsed(schema, await this.json({ step: `reading ${named(resource, name, namespace)}`, path }), path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** All objects of a kind, page by page. */
  async list<T>(schema: z.ZodType<T>, resource: Resource, query: ListQuery = {}): Promise<T[]> {
    return (await this.listAt(schema, resource, query)).items;
  }

  /** The same, with the version that a watch goes on from. */
  async listAt<T>(
    schema: z.ZodType<T>,
    resource: Resource,
    query: ListQuery = {},
  ): Promise<{ readonly items: T[]; readonly resourceVersion: string }> {
    const items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.pages(schema, resource, query)) {
      for (const item of page.items) items.push(item);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  /**
   * The same page by page, for those who keep little of each object: memory holds one page at a time.
   * @throws CLUSTER_CONFLICT (410) where the reader was so slow that the list is gone
   */
  async *pages<T>(
    schema: z.ZodType<T>,
    resource: Resource,
    query: ListQuery = {},
    limit = PAGE,
  ): AsyncGenerator<{ readonly items: T[]; readonly resourceVersion: string }> {
    const path = pathOf(resource, query.namespace);
    for (let next: string | undefined; ; ) {
      const page = listSchema.parse(
        await this.json({
          step: `listing ${resource.plural}${query.namespace === undefined ? '' : ` of ${query.namespace}`}`,
          path,
          query: { limit, continue: next, labelSelector: query.labels, fieldSelector: query.fields },
        }),
      );
      yield {
        items: (page.items ?? []).map((item) => parsed(schema, item, path)),
        resourceVersion: page.metadata.resourceVersion,
      };
      next = page.metadata.continue || undefined;
      if (next === undefined) return;
    }
  }

  /**
   * Server-side apply: the object has these fields afterwards, and `manager` owns them.
   * @throws CLUSTER_CONFLICT where somebody else owns one, unless forced
   */
  async apply(
    object: ApiObject,
    { manager, force = false, dryRun = false }: { manager: string; force?: boolean; dryRun?: boolean },
  ): Promise<unknown> {
    const resource = resourceOf(object);
    const { name, namespace } = object.metadata;
    return this.json({
      step: `applying ${named(resource, name, namespace)}`,
      method: 'PATCH',
      path: pathOf(resource, namespace, name),
      query: { fieldManager: manager, force, dryRun: dryRun ? 'All' : undefined, fieldValidation: 'Strict' },
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }

  /** JSON merge patch (RFC 7396), of the object or one of its subresources (`scale`, `status`). */
  async merge(resource: Resource, name: string, namespace: string, patch: unknown, subresource = ''): Promise<unknown> {
    return this.json({
      step: `changing ${named(resource, name, namespace)}`,
      method: 'PATCH',
      path: `${pathOf(resource, namespace, name)}${subresource === '' ? '' : `/${subresource}`}`,
      contentType: 'application/merge-patch+json',
      body: patch,
    });
  }

  /** @throws CLUSTER_CONFLICT when it is there already */
  async create(object: ApiObject): Promise<unknown> {
    const resource = resourceOf(object);
    const { name, namespace } = object.metadata;
    return this.json({
      step: `creating ${named(resource, name, namespace)}`,
      method: 'POST',
      path: pathOf(resource, namespace),
      body: object,
    });
  }

  /** Writes the whole object; with a resourceVersion in it only over that version. @throws CLUSTER_CONFLICT */
  async replace(object: ApiObject): Promise<unknown> {
    const resource = resourceOf(object);
    const { name, namespace } = object.metadata;
    return this.json({
      step: `writing ${named(resource, name, namespace)}`,
      method: 'PUT',
      path: pathOf(resource, namespace, name),
      body: object,
    });
  }

  /** Deletes an object and, after it, what it owns. One that is gone already is no error. */
  async delete(resource: Resource, name: string, namespace?: string): Promise<void> {
    try {
      await this.json({
        step: `deleting ${named(resource, name, namespace)}`,
        method: 'DELETE',
        path: pathOf(resource, namespace, name),
        body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The answer as JSON. */
  async json(request: ApiRequest): Promise<unknown> {
    return JSON.parse(await this.text(request)) as unknown;
  }

  /** The answer as text, of `pods/log` for example. */
  async text(request: ApiRequest): Promise<string> {
    const patience = new Patience(this.#patienceMs);
    const { host } = this.connection.server;
    const away = (why: string) => this.#outage.away(host, why, patience.leftMs / 1000);
    for (;;) {
      const limit = AbortSignal.timeout(ANSWER_MS);
      const slow = setTimeout(() => away(`nothing for ${SLOW_MS / 1000} s`), SLOW_MS);
      try {
        const response = await this.#send(request, [limit]);
        this.#heedClock(response);
        const text = await response.text();
        clearTimeout(slow);
        if (!isTransientStatus(response.status)) this.#outage.answered(host);
        if (response.ok) return text;
        const failure = failureOf(request.step, this.context, response.status, text);
        if (!isTransientStatus(response.status)) throw failure;
        if (response.status !== 429) away(`HTTP ${response.status}`);
        if (!(await patience.more(retryAfterMs(response), this.#signal))) throw failure;
      } catch (error) {
        clearTimeout(slow);
        this.#stopped(request);
        if (error instanceof InlayError) throw error;
        const silence = silenceOf(error);
        if (silence.passes) {
          away(silence.why);
          if (await patience.more(undefined, this.#signal)) continue;
          this.#stopped(request);
        }
        throw this.#unreachable(request, silence, error);
      }
    }
  }

  /** The answer as it comes: a watch, a log that is followed. No second try. @throws CLUSTER_… */
  async stream(request: ApiRequest): Promise<ReadableStream<Uint8Array>> {
    let response: Response;
    try {
      response = await this.#send(request, []);
    } catch (error) {
      this.#stopped(request);
      throw error instanceof InlayError ? error : this.#unreachable(request, silenceOf(error), error);
    }
    if (response.ok && response.body) return response.body;
    throw failureOf(request.step, this.context, response.status, await response.text());
  }

  async #send(request: ApiRequest, signals: readonly AbortSignal[]): Promise<Response> {
    const { server, proxy } = this.connection;
    const { tls, headers } = await this.connection.authenticate();
    const url = new URL(server.href.replace(/\/$/, '') + request.path);
    for (const [key, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const all = [...signals, this.#signal, request.signal].filter((signal) => signal !== undefined);
    const init: BunFetchRequestInit = {
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json, */*',
        'user-agent': 'inlay',
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(all.length === 0 ? {} : { signal: AbortSignal.any(all) }),
      ...(proxy === undefined ? {} : { proxy }),
      tls,
      redirect: 'error',
    };
    return fetch(url, init);
  }

  #heedClock(response: Response): void {
    const at = Date.parse(response.headers.get('date') ?? '');
    // It says whole seconds: what is nearer than that is no difference.
    if (!Number.isNaN(at)) this.#aheadMs = Math.abs(at - Date.now()) < 1500 ? 0 : at - Date.now();
  }

  #stopped(request: ApiRequest): void {
    if (this.#signal?.aborted || request.signal?.aborted)
      throw new InlayError('INTERRUPTED', `stopped while ${request.step}`, {
        hint: 'Run it again: it goes on from where it was.',
      });
  }

  #unreachable(request: ApiRequest, { why, hint }: Silence, cause: unknown): InlayError {
    return new InlayError(
      'CLUSTER_UNREACHABLE',
      `${request.step}: the API server ${this.connection.server.host} of ${this.context} cannot be reached: ${why}`,
      { cause, hint },
    );
  }
}

/** `Deployment ml/iris` */
export function named(resource: Resource, name: string, namespace?: string): string {
  return `${resource.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** @throws CLUSTER_FAILED for what is not the object that the API promises */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InlayError(
    'CLUSTER_FAILED',
    `${path}: not the object that Kubernetes' API promises: ${z.prettifyError(result.error)}`,
    {
      cause: result.error,
      hint: 'inlay knows Kubernetes 1.35 to 1.37. Is it another version?',
    },
  );
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
