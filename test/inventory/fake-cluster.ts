// A Kubernetes API in memory, for what a real one cannot be asked to do: cutting watches, forgetting versions, refusing. The real one is in
// e2e/inventory.test.ts.
import { type Connection, Kube } from '../../src/cluster/index.ts';

interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

export class FakeCluster {
  /** Kinds, by plural, that are refused. */
  readonly forbidden = new Set<string>();
  /** Requests by kind: `list pods`, `watch pods`. */
  readonly requests = new Map<string, number>();
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #log: { readonly kind: string; readonly version: number; readonly line: string }[] = [];
  readonly #watchers = new Set<{
    readonly kind: string;
    readonly controller: ReadableStreamDefaultController<Uint8Array>;
  }>();
  readonly #server: Bun.Server<undefined>;
  #version = 1;
  #oldest = 0;

  constructor(readonly uid = 'uid-1') {
    this.#server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 60,
      fetch: (request) => this.#answer(new URL(request.url)),
    });
  }

  kube(context: string, signal?: AbortSignal): Kube {
    const connection: Connection = {
      context,
      namespace: 'default',
      server: this.#server.url,
      proxy: undefined,
      authenticate: async () => ({ tls: {}, headers: {} }),
    };
    return new Kube(connection, { signal, patienceMs: 0 });
  }

  put(kind: string, object: FakeObject): void {
    const id = `${object.metadata.namespace}/${object.metadata.name}`;
    const all = this.#of(kind);
    const whole = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#tell(kind, all.has(id) ? 'MODIFIED' : 'ADDED', whole);
    all.set(id, whole);
  }

  remove(kind: string, namespace: string, name: string): void {
    const object = this.#of(kind).get(`${namespace}/${name}`);
    if (!object) return;
    this.#of(kind).delete(`${namespace}/${name}`);
    this.#tell(kind, 'DELETED', {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    });
  }

  /** Ends every watch. @param forget true to know no version from before any more */
  cut(forget = false): void {
    if (forget) this.#oldest = ++this.#version;
    for (const { controller } of this.#watchers) controller.close();
    this.#watchers.clear();
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  #of(kind: string): Map<string, FakeObject> {
    const all = this.#objects.get(kind) ?? new Map<string, FakeObject>();
    this.#objects.set(kind, all);
    return all;
  }

  #tell(kind: string, type: string, object: FakeObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#log.push({ kind, version: this.#version, line });
    for (const watcher of this.#watchers)
      if (watcher.kind === kind) watcher.controller.enqueue(new TextEncoder().encode(line));
  }

  #answer(url: URL): Response {
    if (url.pathname.endsWith('/namespaces/kube-system')) return Response.json({ metadata: { uid: this.uid } });
    const kind = url.pathname.split('/').at(-1) ?? '';
    const watching = url.searchParams.has('watch');
    const what = `${watching ? 'watch' : 'list'} ${kind}`;
    this.requests.set(what, (this.requests.get(what) ?? 0) + 1);
    if (this.forbidden.has(kind))
      return Response.json({ kind: 'Status', message: 'forbidden', reason: 'Forbidden' }, { status: 403 });
    if (!watching) {
      const items = [...this.#of(kind).values()];
      const limit = Number(url.searchParams.get('limit'));
      const from = Number(url.searchParams.get('continue') ?? 0);
      const next = from + limit < items.length ? String(from + limit) : '';
      return Response.json({
        metadata: { resourceVersion: String(this.#version), continue: next },
        items: items.slice(from, from + limit),
      });
    }
    const since = Number(url.searchParams.get('resourceVersion'));
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          if (since < this.#oldest) {
            controller.enqueue(
              encoder.encode(`${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`),
            );
            controller.close();
            return;
          }
          for (const entry of this.#log)
            if (entry.kind === kind && entry.version > since) controller.enqueue(encoder.encode(entry.line));
          // In two pieces: a line need not come in one.
          const bookmark = encoder.encode(
            `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } })}\n`,
          );
          controller.enqueue(bookmark.slice(0, 10));
          controller.enqueue(bookmark.slice(10));
          this.#watchers.add({ kind, controller });
        },
      }),
    );
  }
}

export function deployment(
  name: string,
  image: string,
  more: {
    namespace?: string;
    labels?: Record<string, string>;
    replicas?: number;
    annotations?: Record<string, string>;
    env?: string[];
  } = {},
): FakeObject {
  const { namespace = 'ml', labels = {}, replicas = 1, annotations = {}, env = [] } = more;
  return {
    metadata: { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z', labels, annotations },
    spec: {
      replicas,
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'server', image, env: env.map((one) => ({ name: one })) }] },
      },
    },
    status: {
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
          lastUpdateTime: '2026-02-01T00:00:00Z',
        },
      ],
    },
  };
}

export function pod(
  owner: string,
  image: string,
  imageID: string,
  more: { namespace?: string; name?: string; ready?: boolean } = {},
): FakeObject {
  const { namespace = 'ml', name = `${owner}-abc-1`, ready = true } = more;
  return {
    metadata: {
      name,
      namespace,
      creationTimestamp: '2026-03-01T00:00:00Z',
      labels: { 'pod-template-hash': 'abc' },
      ownerReferences: [{ kind: 'ReplicaSet', name: `${owner}-abc`, controller: true }],
    },
    spec: { containers: [{ name: 'server', image }] },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'server', imageID, restartCount: 2 }],
    },
  };
}

/** Labels of what inlay deploys. */
export const inlays = (service: string, role = 'stable') => ({
  'app.kubernetes.io/managed-by': 'inlay',
  'app.kubernetes.io/name': service,
  'inlay/role': role,
});
