import { type Contract, DATATYPES, INLAY_VERSION, type TensorSpec } from '../contract/index.ts';
import type { Answers, Batcher, BatchProof, Engine, Feeds, Job, Lanes } from '../engine/index.ts';
import type { AllMetrics } from './all-metrics.ts';
import { HttpError, json } from './answer.ts';
import { notUtf8, parseJson, readText } from './body.ts';
import type { Awaiting, BodyWatch } from './body-watch.ts';
import { docsRoutes } from './docs.ts';
import type { Exchange } from './exchange.ts';
import { type LabelCounter, labelCounter } from './label-counter.ts';
import type { Log } from './log.ts';
import { heldMemory } from './memory.ts';
import { metadataOf } from './metadata.ts';
import { type Metrics, renderMetrics } from './metrics.ts';
import { openApiOf } from './openapi.ts';
import { playgroundRoutes } from './playground.ts';
import { type BodySpec, feedsOf, rowsOf } from './predict.ts';
import type { PredictionLog } from './prediction-log/index.ts';
import { processMetrics } from './process-metrics.ts';
import { readRows } from './read-rows.ts';
import { hasFewValues, labelOf, type Part, predictionOf } from './render.ts';
import type { Handler, Routes } from './router.ts';
import type { Settings } from './settings.ts';
import { type Transformer, transformRoutes } from './transform/index.ts';

/** A model that is ready to answer. */
export interface Served {
  readonly contract: Contract;
  readonly engine: Engine;
  readonly batcher: Batcher;
  /** What is known by now of running rows together. */
  readonly batch: () => BatchProof | undefined;
  readonly lanes: Lanes;
  readonly metrics: Metrics;
  /** This thread's and those of its siblings. */
  readonly allMetrics: AllMetrics;
  readonly log: Log;
  readonly bodies: BodyWatch;
  /** Undefined where none is asked for. */
  readonly predictions: PredictionLog | undefined;
  /** What /predict goes through, where the contract has a transform. */
  readonly transformer: Transformer | undefined;
}

/** Turns a part of a run's answers into the value of `prediction`. @throws OUTPUT_NOT_FINITE */
type Render = (part: Part) => unknown;

/** The routes that a model opens, and those of them that finish their exchanges themselves. */
export async function modelRoutes(
  served: Served,
  settings: Settings,
  exchangeOf: (route: string) => Exchange,
): Promise<ModelRoutes> {
  const { contract, engine, lanes } = served;
  const [lane] = lanes.lanes;
  const answers = await lane?.run(engine.sample(), [contract.prediction]);
  const sampled = answers?.[contract.prediction] as Part['tensor'];
  const predict: Render = (part) => predictionOf(contract.prediction, part);
  const samplePrediction = predict({ tensor: sampled, from: 0, rows: 1, alone: true });
  // Made when it is asked for, not while the first prediction waits.
  let openApi: ReturnType<typeof openApiOf> | undefined;
  const { labels } = contract;
  const label: Render = (part) => labelOf(contract.prediction, part, labels?.names ?? []);
  const labelled = labels !== undefined && contract.task === 'classification';
  const noLabels: Handler = () => {
    throw new HttpError(404, 'NOT_FOUND', `this model has no labels: its task is ${contract.task}`, {
      hint: 'POST /predict answers its numbers.',
    });
  };
  const docs = Object.fromEntries(
    Object.entries(docsRoutes(contract.name)).map(([path, handler]) => [path, { GET: handler }]),
  );
  const count = labelCounter(contract, served.metrics);
  const predicting = (path: string, render: Render): Predicting => ({
    exchange: exchangeOf(path),
    output: contract.prediction,
    render,
    count,
    log: served.predictions,
  });
  const posted = (path: string, render: Render): Handler =>
    predictHandler(served, predicting(path, render), settings.maxBodyBytes);
  const routes: Routes = {
    ...docs,
    ...playgroundRoutes(contract),
    '/openapi.json': {
      GET: () => {
        openApi ??= openApiOf(contract, samplePrediction);
        return json(openApi);
      },
    },
    '/metadata': { GET: () => json(metadataOf(served, served.batch(), sampled, samplePrediction)) },
    '/label': {
      GET: labelled
        ? () => json(Object.fromEntries(labels.keys.map((key, column) => [key, labels.names[column]])))
        : noLabels,
    },
    '/metrics': { GET: metricsHandler(served) },
    ...(labelled ? {} : { '/predict/test/label': { GET: noLabels }, '/predict/label': { POST: noLabels } }),
    ...(served.transformer ? await transformRoutes(served, served.transformer, settings, exchangeOf) : {}),
  };
  const own: Routes = {
    '/predict/test': { GET: sampleHandler(served, predicting('/predict/test', predict)) },
    ...(labelled
      ? { '/predict/test/label': { GET: sampleHandler(served, predicting('/predict/test/label', label)) } }
      : {}),
    ...(served.transformer ? {} : { '/predict': { POST: posted('/predict', predict) } }),
    ...(labelled && !served.transformer ? { '/predict/label': { POST: posted('/predict/label', label) } } : {}),
  };
  return { routes, own };
}

/** Routes whose exchanges are still to be finished, and those that do it themselves since every request counts there. */
export interface ModelRoutes {
  readonly routes: Routes;
  readonly own: Routes;
}

function metricsHandler({ contract, allMetrics }: Served): Handler {
  const { name, version, model } = contract;
  const info = { name, version, digest: model.digest, inlay: INLAY_VERSION };
  const labels = contract.task === 'classification' ? (contract.labels?.names ?? []) : [];
  return async () =>
    new Response(renderMetrics(await allMetrics.collect(), info, labels, heldMemory()) + processMetrics(), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
}

/** A route that predicts: all that its requests share. */
interface Predicting {
  readonly exchange: Exchange;
  readonly output: string;
  readonly render: Render;
  /** Counts the labels of a classifier's rows; undefined for other tasks. */
  readonly count: LabelCounter | undefined;
  readonly log: PredictionLog | undefined;
}

/** A request that waits for its prediction. */
class Prediction implements Job, Awaiting {
  feeds: Feeds | undefined = undefined;
  rows = 0;
  since = 0;
  /** The body, where it is to be logged. */
  text: string | undefined = undefined;
  arrived = false;
  readonly #route: Predicting;
  readonly request: Request;
  readonly #resolve: (response: Response) => void;
  readonly #started = performance.now();

  constructor(route: Predicting, request: Request, resolve: (response: Response) => void) {
    this.#route = route;
    this.request = request;
    this.#resolve = resolve;
  }

  done(answers: Answers, from: number, alone: boolean): void {
    const { exchange, output, render, count, log } = this.#route;
    const part: Part = { tensor: answers[output] as Part['tensor'], from, rows: this.rows, alone };
    const prediction = render(part);
    count?.(part);
    if (log && this.text !== undefined)
      log.predicted(exchange.asked(this.request), this.text, prediction, hasFewValues(part));
    this.#resolve(exchange.finish(this.request, Response.json({ prediction }, exchange.init), this.#started, true));
  }

  fail(error: unknown): void {
    this.#resolve(this.#route.exchange.refuse(this.request, error, this.#started));
  }

  gone(): boolean {
    return this.request.signal.aborted;
  }
}

function sampleHandler({ contract, engine, batcher }: Served, route: Predicting): Handler {
  const sample = engine.sample();
  const rows = rowsOf(sample, contract.inputs);
  return (request) => new Promise((resolve) => batcher.add(sample, rows, new Prediction(route, request, resolve)));
}

function predictHandler({ contract, engine, batcher, bodies }: Served, route: Predicting, limit: number): Handler {
  const body: BodySpec = { inputs: engine.inputs, features: contract.features, sample: () => engine.sample() };
  const staged = stagedInput(contract);
  const width = staged?.shape[1] ?? 0;
  const most = staged?.datatype === 'FP16' ? 65519 : Number.POSITIVE_INFINITY;
  const general = (text: string, job: Prediction): void => {
    try {
      const feeds = feedsOf(parseJson(text), body);
      batcher.add(feeds, rowsOf(feeds, body.inputs), job);
    } catch (error) {
      job.fail(error);
    }
  };
  const straight = (text: string, job: Prediction): void => {
    const { stage, at } = batcher.room(text.length >> 1);
    const rows = readRows(text, width, most, stage as Float32Array, at);
    if (rows > 0) batcher.commit(rows, job);
    else if (text.includes('\uFFFD')) job.fail(notUtf8());
    else general(text, job);
  };
  const take = staged ? straight : general;
  return (request) =>
    new Promise((resolve) => {
      const job = new Prediction(route, request, resolve);
      bodies.watch(job);
      readText(request, limit, staged !== undefined).then(
        (text) => {
          if (job.arrived) return;
          job.arrived = true;
          if (route.log?.wants()) job.text = text;
          take(text, job);
        },
        (error) => {
          if (job.arrived) return;
          job.arrived = true;
          job.fail(error);
        },
      );
    });
}

/** The one input of plain rows of floats that bodies are read straight into, if the model is of that kind. */
export function stagedInput({ inputs }: Contract): TensorSpec | undefined {
  const [input, second] = inputs;
  const plain = input && !second && input.shape.length === 2 && input.shape[0] === -1 && (input.shape[1] ?? 0) > 0;
  return plain && DATATYPES[input.datatype].numpy.startsWith('float') ? input : undefined;
}
