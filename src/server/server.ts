import type { Batcher, BatchProof } from '../engine/index.ts';
import { AllMetrics } from './all-metrics.ts';
import { type ErrorBody, errorAnswer } from './answer.ts';
import { batcherOf } from './batcher-of.ts';
import { BodyWatch } from './body-watch.ts';
import { closeAfter, closing } from './closing.ts';
import { ConnectionAge } from './connection-age.ts';
import { Exchange } from './exchange.ts';
import type { DirectRoute } from './front/index.ts';
import { healthRoutes } from './health-routes.ts';
import { HttpDoor } from './http-door.ts';
import type { Handlers } from './listen.ts';
import { Liveness, type LivenessOptions } from './liveness.ts';
import type { Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { type ModelRoutes, modelRoutes, type Served } from './model-routes.ts';
import { checkOipPath, INFER_PATTERNS, isOipPath, OipModel, oipError, oipPattern, oipRoutes } from './oip/index.ts';
import { type LineSink, PredictionLog } from './prediction-log/index.ts';
import { readingRoute } from './reading-route.ts';
import { elsewhere, type Handler, mapHandlers, pathOf, type Readings } from './router.ts';
import type { Settings } from './settings.ts';
import type { Transformer } from './transform/index.ts';
import { untilQuiet } from './until-quiet.ts';

export interface ServerOptions {
  readonly settings: Settings;
  readonly log: Log;
  /** Where a prediction log goes, where the settings ask for one; whoever opened it closes it. */
  readonly predictionSink?: LineSink | undefined;
  /**
   * What all serving threads see. First: 1 once they drain, so that no thread says that it is ready then. Second: how many requests
   * came since.
   */
  readonly draining?: Int32Array;
  /** This thread among those that serve: see Liveness. */
  readonly thread?: Pick<LivenessOptions, 'pulses' | 'own'>;
  /** Threads of this process listen on the same port: this is the `first` of them, or joins it. */
  readonly sharePort?: 'first' | 'join' | undefined;
}

/** A model to serve, and how many threads of this process serve it. */
export type ServedModel = Pick<Served, 'contract' | 'engine' | 'lanes'> & {
  /** Undefined where it is proven after the start: then each request is run alone until `proven`. */
  readonly batch?: BatchProof | undefined;
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
  readonly #door: HttpDoor;
  readonly #predictionSink: LineSink | undefined;
  readonly #draining: Int32Array;
  readonly #ages: ConnectionAge;
  readonly #bodies: BodyWatch;
  readonly #liveness: Liveness;
  readonly metrics: Metrics;
  /** Routes that are still to be wrapped by an exchange, and those that finish theirs themselves. */
  #routes: Omit<ModelRoutes, 'direct'>;
  #model: string | undefined;
  #phase: Phase = 'starting';
  #oip: OipModel | undefined;
  #predictions: PredictionLog | undefined;
  #batcher: Batcher | undefined;
  #batch: BatchProof | undefined;

  /** @throws PORT_IN_USE */
  constructor(options: ServerOptions) {
    this.#settings = options.settings;
    this.#log = options.log;
    this.#predictionSink = options.predictionSink;
    this.#draining = options.draining ?? new Int32Array(2);
    const { bodyTimeoutMs: deadlineMs, maxBodyBytes: bytes, maxBodiesBytes: bytesTogether } = options.settings;
    this.#bodies = new BodyWatch({ deadlineMs, bytes, bytesTogether });
    this.#ages = new ConnectionAge(options.settings.maxConnectionAgeMs);
    const { pulses = new Int32Array(1), own = 0 } = options.thread ?? {};
    this.#liveness = new Liveness({ limitMs: options.settings.livenessTimeoutMs, pulses, own });
    this.metrics = new Metrics();
    this.#routes = { routes: this.#healthRoutes(), own: {} };
    this.#door = new HttpDoor({
      settings: options.settings,
      log: options.log,
      share: options.sharePort,
      handlers: this.#handlers(),
      direct: this.#directHealth(),
      ageLimit: () => this.#ages.limitMs(),
      cut: () => this.metrics.connectionsCut(1),
    });
  }

  /** Where it listens, for people and clients on this machine. */
  get url(): string {
    const host = ['0.0.0.0', '::'].includes(this.#settings.host) ? '127.0.0.1' : this.#settings.host;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  get port(): number {
    return this.#door.port;
  }

  /** The model as the Open Inference Protocol has it, once there is one. */
  get oip(): OipModel | undefined {
    return this.#oip;
  }

  /** What answers, as a header says it: `name:version@digest`. */
  get modelHeader(): string | undefined {
    return this.#model;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts to answer for a model: runs the sample once and opens its routes. @throws OUTPUT_NOT_FINITE */
  async serve(model: ServedModel): Promise<void> {
    const { contract, engine, batch, lanes, threads = 1, transformer } = model;
    this.#batch = batch;
    const metrics = this.metrics;
    if (contract.labels && contract.task === 'classification') metrics.countLabels(contract.labels.names.length);
    const batcher = batcherOf({
      contract,
      engine,
      batch,
      lanes,
      settings: this.#settings,
      metrics,
      refuted: () => this.#refuted(),
    });
    this.#batcher = batcher;
    this.#liveness.watch(
      () => batcher.progress,
      () => lanes.broken(),
    );
    const sink = this.#predictionSink;
    const { log, settings } = { log: this.#log, settings: this.#settings };
    if (sink) this.#predictions = new PredictionLog({ settings, contract, sink, log, metrics });
    const served: Served = {
      contract,
      engine,
      lanes,
      batch: () => this.#batch,
      transformer,
      batcher,
      metrics,
      allMetrics: new AllMetrics(metrics, threads),
      log: this.#log,
      bodies: this.#bodies,
      predictions: this.#predictions,
    };
    this.#model = `${contract.name}:${contract.version}@${contract.model.digest}`;
    const { routes, own, direct } = await modelRoutes(served, this.#settings, (route) => this.#exchangeOf(route));
    this.#oip = new OipModel(served);
    const oip = oipRoutes(this.#oip, {
      notReady: this.notReady,
      limit: this.#settings.maxBodyBytes,
      bodies: this.#bodies,
      exchangeOf: (route) => this.#exchangeOf(route, oipError),
    });
    this.#routes = { routes: { ...this.#healthRoutes(), ...routes, ...oip.routes }, own };
    this.#phase = 'ready';
    this.#door.open(this.#handlers(), new Map([...this.#directHealth(), ...direct, ...oip.direct]));
  }

  /** From now on rows are run together as was proven. */
  proven(batch: BatchProof): void {
    this.#batch = batch;
    this.#batcher?.allow(batch.maxRows);
  }

  /** Requests showed what no row of the proof had shown. */
  #refuted(): void {
    this.#batch = { state: 'off', interferes: true, rows: 0, maxRows: 1 };
    this.#log.warning(
      'rows of several requests are run alone: the model answered another number of rows than it took',
      {
        batch: 'off',
      },
    );
  }

  /**
   * Stops without failing a request: not ready at once, still serving until none has come for `drainMs`, since whoever routes traffic
   * here has noticed then, then closed when the last answer is out.
   * @param hurry ends the wait early
   */
  async drain(hurry: Promise<void> = new Promise(() => {})): Promise<void> {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    Atomics.store(this.#draining, 0, 1);
    this.#door.drain(this.#handlers(closing));
    const late = await this.untilQuiet(() => this.metrics.asked, hurry);
    if (late && this.#settings.maxDrainMs > this.#settings.drainMs)
      this.#log.warning('the drain ends although requests still come: somebody still routes them here');
    await this.#door.finish(() => this.notLive() !== undefined);
    this.#end();
  }

  /**
   * Waits in a drain until no request has come for `drainMs`, to this server or to what serves beside it.
   * @param asked how many have come: to what waits @param hurry ends the wait early
   * @returns whether they still came when `maxDrainMs` were over
   */
  untilQuiet(asked: () => number, hurry: Promise<void>): Promise<boolean> {
    const { drainMs: quietMs, maxDrainMs } = this.#settings;
    const all = this.#draining.subarray(1);
    return untilQuiet({ quietMs, mostMs: Math.max(quietMs, maxDrainMs), asked, all, hurry });
  }

  /** Resolves when what was predicted so far is in the prediction log. */
  async flushed(): Promise<void> {
    await this.#predictions?.flush();
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#end();
    await this.#door.close();
  }

  #end(): void {
    this.#ages.close();
    this.#bodies.close();
    this.#liveness.close();
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
      peer: (request) => this.#door.peerOf(request),
    });
  }

  #exchangeAt(path: string): Exchange {
    return isOipPath(path) ? this.#exchangeOf(oipPattern(path), oipError) : this.#exchangeOf(path);
  }

  /** Probes, for the front door. */
  #directHealth(): Map<string, DirectRoute> {
    const routes = Object.entries(this.#healthRoutes());
    return new Map(routes.map(([path, { GET }]) => [path, readingRoute(this.#exchangeAt(path).wrap(GET))]));
  }

  /** What Bun calls for each request: its own router first, `fetch` for what that does not know, `error` for what fails. */
  #handlers(wrap = (handler: Handler): Handler => handler): Handlers {
    const { routes, own } = this.#routes;
    const wrapped = mapHandlers(routes, (handler, path) => this.#exchangeAt(path).wrap(handler));
    const others = elsewhere({ ...routes, ...own }, () => this.#phase !== 'starting');
    const other = this.#exchangeOf('other').wrap(others);
    const oipOther = (route: string) =>
      this.#exchangeOf(route, oipError).wrap((request: Request) => {
        if (this.#oip) checkOipPath(this.#oip, pathOf(request.url));
        return others(request);
      });
    // Clients that name another version than this one were sent here by a release: they count where they asked.
    const oipOthers = new Map(['other', ...INFER_PATTERNS].map((route) => [route, oipOther(route)]));
    const fallback: Handler = (request) => {
      const path = pathOf(request.url);
      if (!isOipPath(path)) return other(request);
      return (oipOthers.get(oipPattern(path)) ?? oipOthers.get('other') ?? other)(request);
    };
    const refuse = (error: unknown) => errorAnswer(error, this.#log);
    return {
      routes: mapHandlers({ ...wrapped, ...own }, wrap),
      fetch: wrap(fallback),
      error: this.#phase === 'draining' ? (error: unknown) => closeAfter(refuse(error)) : refuse,
    };
  }

  /** Why it is not ready, undefined where it is. */
  readonly notReady = (): string | undefined => {
    if (this.#phase === 'starting') return 'the model is loading';
    const draining = this.#phase === 'draining' || Atomics.load(this.#draining, 0) !== 0;
    return draining ? 'the server is stopping' : this.notLive();
  };

  /** What does not move, undefined where all does. */
  readonly notLive = (): string | undefined => this.#liveness.stuck();

  #healthRoutes(): Readings {
    const { notReady, notLive } = this;
    return healthRoutes({ notStarted: () => (this.#phase === 'starting' ? notReady() : undefined), notReady, notLive });
  }
}
