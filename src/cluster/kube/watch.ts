import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InlayError } from '../../error/index.ts';
import { ApiFailure } from './failure.ts';
import { type Kube, type ListQuery, parsed } from './kube.ts';
import { pathOf, type Resource } from './resources.ts';

export interface WatchOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Objects a page of the first list. */
  readonly pageSize?: number;
}

/** What a watch tells, in order. */
export type WatchEvent<T> =
  /** The list is read from its beginning: what is not seen before `synced` is gone. */
  | { readonly kind: 'listing' }
  | { readonly kind: 'seen'; readonly item: T }
  | { readonly kind: 'gone'; readonly item: T }
  /** The list is whole; from here on it is watched. */
  | { readonly kind: 'synced' }
  /** Nothing has changed up to now, as the API server says. */
  | { readonly kind: 'current' }
  /** The API server cannot be reached, or does not let us: it is tried again. */
  | { readonly kind: 'away'; readonly error: Error };

const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const versionSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const statusSchema = z.object({ code: z.number().default(0), message: z.string().default('') });

/** How long the API server is asked to keep a watch open, seconds; it sends bookmarks about once a minute. */
const TIMEOUT_S = 290;
/** Nothing for so long, not even a bookmark: the connection is dead, though nobody has said so. */
const SILENCE_MS = 150_000;
const MOST_WAIT_MS = 30_000;

/** The version that was watched from is too old: everything is listed anew. */
class Expired extends Error {}

/**
 * Lists the objects of a kind and then follows their changes, for as long as the signal lets it: it goes on from the last version that
 * it has seen when a connection ends, and lists anew only when the API server no longer has that version (410 Gone).
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function* watch<T>(
  kube: Kube,
  schema: z.ZodType<T>,
  resource: Resource,
  query: ListQuery,
  { signal, pageSize }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  let version: string | undefined;
  let waitMs = 500;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        yield { kind: 'listing' };
        let at = '';
        for await (const page of kube.pages(schema, resource, query, pageSize)) {
          for (const item of page.items) yield { kind: 'seen', item };
          at = page.resourceVersion;
        }
        version = at;
        yield { kind: 'synced' };
      }
      for await (const change of changes(kube, schema, resource, query, version, signal)) {
        version = change.version;
        waitMs = 500;
        yield change.event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Expired || (error instanceof ApiFailure && error.status === 410)) {
        version = undefined;
        continue;
      }
      yield { kind: 'away', error: error instanceof Error ? error : new Error(String(error)) };
      await pause(waitMs, signal);
      waitMs = Math.min(waitMs * 2, MOST_WAIT_MS);
    }
  }
}

interface Change<T> {
  readonly version: string;
  readonly event: WatchEvent<T>;
}

async function* changes<T>(
  kube: Kube,
  schema: z.ZodType<T>,
  resource: Resource,
  query: ListQuery,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<Change<T>> {
  const path = pathOf(resource, query.namespace);
  const silence = new AbortController();
  const bytes = await kube.stream({
    step: `watching ${resource.plural}`,
    path,
    query: {
      watch: true,
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds: TIMEOUT_S,
      labelSelector: query.labels,
      fieldSelector: query.fields,
    },
    signal: AbortSignal.any([signal, silence.signal]),
  });
  // It stands: whoever was told that the API server is away hears that it is not.
  yield { version: from, event: { kind: 'current' } };
  for await (const line of lines(bytes, () => silence.abort())) {
    const { type, object } = eventSchema.parse(JSON.parse(line));
    if (type === 'ERROR') {
      const { code, message } = statusSchema.parse(object);
      if (code === 410) throw new Expired(message);
      throw new InlayError('CLUSTER_FAILED', `watching ${resource.plural} in ${kube.context}: ${message}`);
    }
    const version = versionSchema.parse(object).metadata.resourceVersion;
    if (type === 'BOOKMARK') yield { version, event: { kind: 'current' } };
    else yield { version, event: { kind: type === 'DELETED' ? 'gone' : 'seen', item: parsed(schema, object, path) } };
  }
}

async function* lines(bytes: ReadableStream<Uint8Array>, dead: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let timer = setTimeout(dead, SILENCE_MS);
  try {
    for await (const chunk of bytes) {
      clearTimeout(timer);
      timer = setTimeout(dead, SILENCE_MS);
      const pieces = decoder.decode(chunk, { stream: true }).split('\n');
      for (const [i, piece] of pieces.entries()) {
        parts.push(piece);
        if (i === pieces.length - 1) break;
        const line = parts.join('');
        parts = [];
        if (line !== '') yield line;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  // An end ends it, also one that has come already.
  return sleep(ms, undefined, { signal }).catch(() => {});
}
