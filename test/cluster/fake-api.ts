// An API server that keeps what it is given, and does to requests what a test asks for. For faults alone: e2e has a real one.
import { type Connection, Kube } from '../../src/cluster/kube/index.ts';

export interface Stored {
  metadata: {
    name: string;
    uid?: string;
    resourceVersion?: string;
    annotations?: Record<string, string | null>;
    labels?: Record<string, string>;
  };
  [field: string]: unknown;
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
    const { pathname, searchParams } = new URL(request.url);
    const body = request.method === 'GET' ? undefined : ((await request.json()) as Stored);
    this.requests.push(`${request.method} ${pathname}`);
    const fault = this.fault(request.method, pathname);
    if (typeof fault === 'number') return status(fault, 'asked for by the test');
    const answer = this.#do(request.method, pathname, body, searchParams);
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

  /** What an object becomes when it is stored; a controller's work. */
  protected settled(_path: string, object: Stored): Stored {
    return object;
  }

  protected gone(_path: string): void {}

  #do(method: string, path: string, body: Stored | undefined, query: URLSearchParams): Response {
    const key = method === 'POST' ? `${path}/${body?.metadata.name}` : path;
    const there = this.objects.get(key);
    if (method === 'GET' && !there && LIST.test(path))
      return Response.json({ metadata: { resourceVersion: '1' }, items: this.#list(path, query.get('labelSelector')) });
    if (method === 'GET') return there ? Response.json(there) : status(404, 'not found');
    if (method === 'DELETE') {
      this.gone(key);
      return this.objects.delete(key) ? Response.json({}) : status(404, 'not found');
    }
    if (method === 'POST' && there) return status(409, 'already exists');
    if (method === 'PUT' && body?.metadata.resourceVersion !== there?.metadata.resourceVersion)
      return status(409, 'the object has been modified');
    if (!body) return status(400, 'no body');
    const merged = method === 'PATCH' && there ? (laidOver(there, body) as Stored) : body;
    for (const [name, value] of Object.entries(merged.metadata.annotations ?? {}))
      if (value === null) delete merged.metadata.annotations?.[name];
    this.#version++;
    const stored = {
      ...merged,
      metadata: { ...merged.metadata, namespace: 'ml', resourceVersion: `${this.#version}` },
    };
    if (query.get('dryRun') === null) this.objects.set(key, this.settled(key, stored));
    return Response.json(stored);
  }

  #list(path: string, labels: string | null): Stored[] {
    const wanted = (labels ?? '').split(',').map((term) => term.split('='));
    const below = [...this.objects].filter(([key]) => key.startsWith(`${path}/`)).map(([, object]) => object);
    return below.filter(({ metadata }) =>
      wanted.every(
        ([key = '', value]) => key === '' || (value ? metadata.labels?.[key] === value : metadata.labels?.[key]),
      ),
    );
  }
}

/** The path of a kind, not of one object. */
const LIST = /\/(namespaces\/[^/]+\/[a-z]+|nodes|namespaces)$/;

/** What an apply or a merge leaves: lists and values are the newer ones. */
function laidOver(there: unknown, over: unknown): unknown {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!plain(there) || !plain(over)) return over;
  const both = Object.keys(over).map((key) => [key, laidOver(there[key], over[key])] as const);
  return { ...there, ...Object.fromEntries(both) };
}

function status(code: number, message: string): Response {
  return Response.json({ kind: 'Status', code, message, reason: code === 409 ? 'Conflict' : '' }, { status: code });
}
