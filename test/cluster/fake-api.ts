// An API server that keeps ConfigMaps and Leases, and does to requests what a test asks for. For faults alone: e2e has a real one.
import { type Connection, Kube } from '../../src/cluster/kube/index.ts';

interface Stored {
  metadata: { name: string; resourceVersion?: string; annotations?: Record<string, string | null> };
}

/** What becomes of a request: undefined lets it through; `cut` ends its connection after it was done, before it is answered. */
export type Fault = (method: string, path: string) => number | 'cut' | undefined;

export class FakeApi {
  readonly objects = new Map<string, Stored>();
  readonly requests: string[] = [];
  fault: Fault = () => undefined;
  readonly #server: Bun.Server<undefined>;
  #version = 1;

  constructor() {
    this.#server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 5,
      fetch: (request) => this.#answer(request),
    });
  }

  /** @param patienceMs how long a client waits for a server that is away */
  kube(patienceMs = 3000): Kube {
    const connection: Connection = {
      context: 'fake',
      namespace: 'ml',
      server: new URL(this.#server.url),
      proxy: undefined,
      authenticate: async () => ({ tls: {}, headers: {} }),
    };
    return new Kube(connection, { patienceMs });
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = request.method === 'GET' ? undefined : ((await request.json()) as Stored);
    this.requests.push(`${request.method} ${pathname}`);
    const fault = this.fault(request.method, pathname);
    if (typeof fault === 'number') return status(fault, 'asked for by the test');
    const answer = this.#do(request.method, pathname, body);
    if (fault !== 'cut') return answer;
    // A length that never comes: the client sees its connection end.
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.error(new Error('cut'));
        },
      }),
    );
  }

  #do(method: string, path: string, body: Stored | undefined): Response {
    const key = method === 'POST' ? `${path}/${body?.metadata.name}` : path;
    const there = this.objects.get(key);
    if (method === 'GET') return there ? Response.json(there) : status(404, 'not found');
    if (method === 'POST' && there) return status(409, 'already exists');
    if (method === 'PUT' && body?.metadata.resourceVersion !== there?.metadata.resourceVersion)
      return status(409, 'the object has been modified');
    if (!body) return status(400, 'no body');
    const merged =
      method === 'PATCH' && there
        ? {
            ...there,
            metadata: {
              ...there.metadata,
              annotations: { ...there.metadata.annotations, ...body.metadata.annotations },
            },
          }
        : body;
    for (const [name, value] of Object.entries(merged.metadata.annotations ?? {}))
      if (value === null) delete merged.metadata.annotations?.[name];
    this.#version++;
    const stored = {
      ...merged,
      metadata: { ...merged.metadata, namespace: 'ml', resourceVersion: `${this.#version}` },
    };
    this.objects.set(key, stored);
    return Response.json(stored);
  }
}

function status(code: number, message: string): Response {
  return Response.json({ kind: 'Status', code, message, reason: code === 409 ? 'Conflict' : '' }, { status: code });
}
