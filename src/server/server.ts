import type { Server } from 'bun';
import { InlayError } from '../error/index.ts';
import { AllMetrics } from './all-metrics.ts';
import { type ErrorBody, errorAnswer, json } from './answer.ts';
import { batcherOf } from './batcher-of.ts';
import { BodyDeadline } from './body-deadline.ts';
import { ConnectionAge } from './connection-age.ts';
import { Exchange } from './exchange.ts';
import type { Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { type ModelRoutes, modelRoutes, type Served } from './model-routes.ts';
import { checkOipPath, isOipPath, OipModel, oipError, oipHealthRoutes, oipPattern, oipRoutes } from './oip/index.ts';
import { elsewhere, type Handler, pathOf, type Routes } from './router.ts';
import type { Settings } from './settings.ts';
import type { Transformer } from './transform/index.ts';

/** Seconds that a connection may be idle: longer than the 60 s of common load balancers, which must close first. */
const IDLE_TIMEOUT_S = 75;

export interface ServerOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** Writes a line to stdout: for a prediction log that goes there. */
  readonly print?: (line: string) => void;
  /** One number that all serving threads see: 1 once they drain, so that no thread says that it is ready then. */
  readonly draining?: Int32Array;
  /** Threads of this process listen on the same port: this is the `first` of them, or joins it. */
  readonly sharePort?: 'first' | 'join' | undefined;
}

/** A model to serve, and how many threads of this process serve it. */
export type ServedModel = Pick<Served, 'contract' | 'engine' | 'batch' | 'lanes'> & {
  readonly threads?: number;
  readonly transformer?: Transformer | undefined;
};

type Phase = 'starting' | 'ready' | 'draining';

/**
 * The HTTP server of a model image. It listens from the start, so that probes are answered while the model loads;
 * `serve` gives it the model.
 */
export class ModelServer {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #server: Server<undefined>;
  readonly #print: (line: string) => void;
  readonly #draining: Int32Array;
  readonly #ages: ConnectionAge;
  readonly #deadline: BodyDeadline;
  readonly metrics: Metrics;
  /** Routes that are still to be wrapped by an exchange, and those that finish theirs themselves. */
  #routes: ModelRoutes;
  #model: string | undefined;
  #phase: Phase = 'starting';
  #oip: OipModel | undefined;

  /** @throws PORT_IN_USE */
  constructor(options: ServerOptions) {
    this.#settings = options.settings;
    this.#log = options.log;
    this.#print = options.print ?? (() => {});
    this.#draining = options.draining ?? new Int32Array(1);
    this.#deadline = new BodyDeadline(options.settings.bodyTimeoutMs);
    this.#ages = new ConnectionAge(options.settings.maxConnectionAgeMs);
    this.metrics = new Metrics();
    this.#routes = { routes: this.#healthRoutes(), own: {} };
    this.#server = this.#listen(options.sharePort);
  }

  /** Where it listens, for people and clients on this machine. */
  get url(): string {
    const host = ['0.0.0.0', '::'].includes(this.#settings.host) ? '127.0.0.1' : this.#settings.host;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#server.port}`;
  }

  get port(): number {
    return this.#server.port as number;
  }

  /** The model as the Open Inference Protocol has it, once there is one. */
  get oip(): OipModel | undefined {
    return this.#oip;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts to answer for a model: runs the sample once and opens its routes. @throws OUTPUT_NOT_FINITE */
  async serve(model: ServedModel): Promise<void> {
    const { contract, batch, lanes, threads = 1, transformer } = model;
    const metrics = this.metrics;
    if (contract.labels && contract.task === 'classification') metrics.countLabels(contract.labels.names.length);
    const batcher = batcherOf({ contract, batch, lanes, settings: this.#settings, metrics });
    const served: Served = {
      ...model,
      transformer,
      batcher,
      metrics,
      allMetrics: new AllMetrics(metrics, threads),
      log: this.#log,
      print: this.#print,
      deadline: this.#deadline,
    };
    this.#model = `${contract.name}:${contract.version}@${contract.model.digest}`;
    const { routes, own } = await modelRoutes(served, this.#settings, (route) => this.#exchangeOf(route));
    this.#oip = new OipModel(served);
    const oip = oipRoutes(this.#oip, {
      notReady: this.notReady,
      limit: this.#settings.maxBodyBytes,
      deadline: this.#deadline,
    });
    this.#routes = { routes: { ...this.#healthRoutes(), ...routes, ...oip }, own };
    this.#phase = 'ready';
    this.#server.reload(this.#handlers((handler) => handler));
  }

  /**
   * Stops without failing a request: not ready at once, still serving for `drainMs` so that whoever routes traffic here
   * has noticed, then closed when the last answer is out.
   * @param hurry ends the wait early
   */
  async drain(hurry: Promise<void> = new Promise(() => {})): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    Atomics.store(this.#draining, 0, 1);
    this.#server.reload(this.#handlers(closing));
    await Promise.race([Bun.sleep(this.#settings.drainMs), hurry]);
    // Stops accepting; answers under way go out.
    const closed = this.#server.stop(false);
    while (this.#server.pendingRequests > 0) await Bun.sleep(5);
    // Connections that are idle now have nothing under way: what was answered was flushed by the turn before.
    await Promise.race([closed, Bun.sleep(50)]);
    await this.#server.stop(true);
    this.#ages.close();
    this.#deadline.close();
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#ages.close();
    this.#deadline.close();
    await this.#server.stop(true);
  }

  /** @param errorBody how the route tells of errors, where not as ours do */
  #exchangeOf(route: string, errorBody?: ErrorBody): Exchange {
    return new Exchange(route, {
      log: this.#log,
      metrics: this.metrics,
      ages: this.#ages,
      accessLog: this.#settings.accessLog,
      model: this.#model,
      errorBody,
      peer: (request) => this.#server.requestIP(request),
    });
  }

  /** What Bun calls for each request: its own router first, `fetch` for what that does not know, `error` for what fails. */
  #handlers(wrap: (handler: Handler) => Handler) {
    const { routes, own } = this.#routes;
    const wrapped = mapHandlers(routes, (handler, path) =>
      (isOipPath(path) ? this.#exchangeOf(oipPattern(path), oipError) : this.#exchangeOf(path)).wrap(handler),
    );
    const others = elsewhere({ ...routes, ...own }, () => this.#phase !== 'starting');
    const other = this.#exchangeOf('other').wrap(others);
    const oipOther = this.#exchangeOf('other', oipError).wrap((request) => {
      if (this.#oip) checkOipPath(this.#oip, pathOf(request.url));
      return others(request);
    });
    const fallback: Handler = (request) => (isOipPath(pathOf(request.url)) ? oipOther : other)(request);
    const refuse = (error: unknown) => errorAnswer(error, this.#log);
    return {
      routes: mapHandlers({ ...wrapped, ...own }, wrap),
      fetch: wrap(fallback),
      error: this.#phase === 'draining' ? (error: unknown) => closeAfter(refuse(error)) : refuse,
    };
  }

  #listen(sharePort: ServerOptions['sharePort']): Server<undefined> {
    const { host, port } = this.#settings;
    const listen = (at: number, reusePort: boolean) =>
      Bun.serve({
        hostname: host,
        port: at,
        reusePort,
        idleTimeout: IDLE_TIMEOUT_S,
        // Bun's own limit answers 413 without a body, so ours (body.ts) stands alone.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        ...this.#handlers((handler) => handler),
      });
    try {
      if (sharePort !== 'first') return listen(port, sharePort === 'join');
      // A shared port would also be shared with a stranger: first see that it is free.
      const alone = listen(port, false);
      const free = alone.port as number;
      alone.stop(true);
      return listen(free, true);
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

  /** Why it is not ready, undefined where it is. */
  readonly notReady = (): string | undefined => {
    if (this.#phase === 'starting') return 'the model is loading';
    const draining = this.#phase === 'draining' || Atomics.load(this.#draining, 0) !== 0;
    return draining ? 'the server is stopping' : undefined;
  };

  #healthRoutes(): Routes {
    const ok = () => json({ health: 'ok' });
    const unless = (why: () => string | undefined): Handler => {
      return () => {
        const message = why();
        if (message === undefined) return ok();
        throw new InlayError('NOT_READY', message);
      };
    };
    return {
      '/health': { GET: ok },
      '/health/live': { GET: ok },
      '/health/ready': { GET: unless(this.notReady) },
      '/health/startup': { GET: unless(() => (this.#phase === 'starting' ? this.notReady() : undefined)) },
      ...oipHealthRoutes(this.notReady),
    };
  }
}

function mapHandlers(routes: Routes, change: (handler: Handler, path: string) => Handler): Routes {
  return Object.fromEntries(
    Object.entries(routes).map(([path, methods]) => [
      path,
      Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, change(handler, path)])),
    ]),
  );
}

/** A client that keeps its connection would find it closed at the end of the drain. */
function closing(handler: Handler): Handler {
  return async (request) => closeAfter(await handler(request));
}

function closeAfter(response: Response): Response {
  response.headers.set('connection', 'close');
  return response;
}
