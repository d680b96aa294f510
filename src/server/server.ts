import type { Server } from 'bun';
import type { Contract } from '../contract/index.ts';
import type { Engine, Feeds } from '../engine/index.ts';
import { didYouMean, InlayError } from '../error/index.ts';
import { errorAnswer, HttpError, json } from './answer.ts';
import { readJson } from './body.ts';
import { docsRoutes } from './docs.ts';
import type { Log } from './log.ts';
import { metadataOf } from './metadata.ts';
import { openApiOf } from './openapi.ts';
import { feedsOf, labelOf, predictionOf } from './predict.ts';
import type { Settings } from './settings.ts';

/** Seconds that a connection may be idle: longer than the 60 s of common load balancers, which must close first. */
const IDLE_TIMEOUT_S = 75;

export interface ServerOptions {
  readonly settings: Settings;
  readonly log: Log;
}

type Handler = (request: Request) => Response | Promise<Response>;
type Method = 'GET' | 'POST';
type Routes = Readonly<Record<string, Partial<Record<Method, Handler>>>>;
type Phase = 'starting' | 'ready' | 'draining';

/**
 * The HTTP server of a model image. It listens from the start, so that probes are answered while the model loads;
 * `serve` gives it the model.
 */
export class ModelServer {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #server: Server<undefined>;
  #routes: Routes;
  #phase: Phase = 'starting';
  #requests = 0;

  /** @throws PORT_IN_USE */
  constructor(options: ServerOptions) {
    this.#settings = options.settings;
    this.#log = options.log;
    this.#routes = this.#healthRoutes();
    this.#server = this.#listen();
  }

  /** Where it listens, for people and clients on this machine. */
  get url(): string {
    const host = ['0.0.0.0', '::'].includes(this.#settings.host) ? '127.0.0.1' : this.#settings.host;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#server.port}`;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts to answer for a model: runs the sample once and opens its routes. @throws OUTPUT_NOT_FINITE */
  async serve(contract: Contract, engine: Engine): Promise<void> {
    this.#routes = { ...this.#healthRoutes(), ...(await modelRoutes(contract, engine, this.#settings)) };
    this.#phase = 'ready';
  }

  /**
   * Stops without failing a request: not ready at once, still serving for `drainMs` so that whoever routes traffic here
   * has noticed, then closed when the last answer is out.
   * @param hurry ends the wait early
   */
  async drain(hurry: Promise<void> = new Promise(() => {})): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    await Promise.race([Bun.sleep(this.#settings.drainMs), hurry]);
    // Stops accepting; answers under way go out.
    const closed = this.#server.stop(false);
    while (this.#requests > 0) await Bun.sleep(5);
    // Connections that are idle now have nothing under way: what was answered was flushed by the turn before.
    await Promise.race([closed, Bun.sleep(50)]);
    await this.#server.stop(true);
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    this.#phase = 'draining';
    await this.#server.stop(true);
  }

  #listen(): Server<undefined> {
    const { host, port } = this.#settings;
    try {
      return Bun.serve({
        hostname: host,
        port,
        idleTimeout: IDLE_TIMEOUT_S,
        // Bun's own limit answers 413 without a body, so ours (body.ts) stands alone.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        fetch: (request) => this.#answer(request),
        error: (error) => errorAnswer(error, this.#log),
      });
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE')
        throw new InlayError('PORT_IN_USE', `port ${port} is in use on ${host}`, {
          cause,
          hint: 'Choose another with PORT or --port.',
        });
      throw new InlayError('ENVIRONMENT_INVALID', `cannot listen on ${host}:${port}: ${message}`, {
        cause,
        hint: 'Check HOST and PORT.',
      });
    }
  }

  async #answer(request: Request): Promise<Response> {
    this.#requests++;
    try {
      const response = await this.#route(request);
      // A client that keeps its connection would find it closed at the end of the drain.
      if (this.#phase === 'draining') response.headers.set('connection', 'close');
      return response;
    } catch (error) {
      return errorAnswer(error, this.#log);
    } finally {
      this.#requests--;
    }
  }

  #route(request: Request): Response | Promise<Response> {
    const path = pathOf(request.url);
    const route = this.#routes[path];
    if (!route) throw this.#notFound(path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = route[method as Method];
    if (handler) return handler(request);
    const allowed = Object.keys(route)
      .flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]))
      .join(', ');
    throw new HttpError(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${request.method}`, {
      headers: { allow: allowed },
    });
  }

  #notFound(path: string): Error {
    if (this.#phase === 'starting') return new InlayError('NOT_READY', 'the model is loading');
    const near = didYouMean(path, Object.keys(this.#routes));
    return new HttpError(404, 'NOT_FOUND', `there is no ${path.slice(0, 200)}`, {
      hint: near ? `Did you mean ${near}?` : 'GET /docs lists the routes.',
    });
  }

  #healthRoutes(): Routes {
    const ok = () => json({ health: 'ok' });
    const when =
      (condition: () => boolean, message: () => string): Handler =>
      () => {
        if (condition()) return ok();
        throw new InlayError('NOT_READY', message());
      };
    return {
      '/health': { GET: ok },
      '/health/live': { GET: ok },
      '/health/ready': {
        GET: when(
          () => this.#phase === 'ready',
          () => (this.#phase === 'draining' ? 'the server is stopping' : 'the model is loading'),
        ),
      },
      '/health/startup': {
        GET: when(
          () => this.#phase !== 'starting',
          () => 'the model is loading',
        ),
      },
    };
  }
}

async function modelRoutes(contract: Contract, engine: Engine, settings: Settings): Promise<Routes> {
  const outputs = [contract.prediction];
  const run = async (feeds: Feeds) => {
    const results = await engine.run(feeds, outputs);
    return results[contract.prediction] as NonNullable<(typeof results)[string]>;
  };
  const sampled = await run(engine.sample());
  const metadata = metadataOf(contract, sampled);
  const openApi = openApiOf(contract, predictionOf(sampled));
  const body = (request: Request) => readJson(request, settings.maxBodyBytes);
  const { labels } = contract;
  const labelled = (
    handler: (names: NonNullable<typeof labels>, request: Request) => Response | Promise<Response>,
  ): Handler =>
    labels && contract.task === 'classification'
      ? (request) => handler(labels, request)
      : () => {
          throw new HttpError(404, 'NOT_FOUND', `this model has no labels: its task is ${contract.task}`, {
            hint: 'POST /predict answers its numbers.',
          });
        };
  const docs = Object.fromEntries(
    Object.entries(docsRoutes(contract.name)).map(([path, handler]) => [path, { GET: handler }]),
  );
  return {
    ...docs,
    '/': { GET: () => new Response(null, { status: 307, headers: { location: 'docs' } }) },
    '/openapi.json': { GET: () => json(openApi) },
    '/metadata': { GET: () => json(metadata) },
    '/label': {
      GET: labelled((names) => json(Object.fromEntries(names.keys.map((key, column) => [key, names.names[column]])))),
    },
    '/predict/test': { GET: async () => json({ prediction: predictionOf(await run(engine.sample())) }) },
    '/predict/test/label': {
      GET: labelled(async (names) => json({ prediction: labelOf(await run(engine.sample()), names) })),
    },
    '/predict': {
      POST: async (request) => json({ prediction: predictionOf(await run(feedsOf(await body(request), engine))) }),
    },
    '/predict/label': {
      POST: labelled(async (names, request) =>
        json({ prediction: labelOf(await run(feedsOf(await body(request), engine)), names) }),
      ),
    },
  };
}

/** The path of `http://host:port/path?query`; URL would parse and allocate far more than this needs. */
function pathOf(url: string): string {
  const start = url.indexOf('/', 8);
  if (start < 0) return '/';
  const query = url.indexOf('?', start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}
