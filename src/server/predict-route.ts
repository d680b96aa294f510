import { type Contract, DATATYPES, type TensorSpec } from '../contract/index.ts';
import type { Answers, Batcher, Feeds, Job } from '../engine/index.ts';
import { InlayError } from '../error/index.ts';
import { looseUtf8, notUtf8, parseJson, readText, utf8 } from './body.ts';
import type { Awaiting, BodyWatch } from './body-watch.ts';
import { directJson } from './direct-answers.ts';
import type { Exchange } from './exchange.ts';
import { DirectAnswer, type DirectJob, type DirectRequest, type DirectRoute } from './front/index.ts';
import type { Incoming } from './incoming.ts';
import type { LabelCounter } from './label-counter.ts';
import type { Served } from './model-routes.ts';
import { type BodySpec, feedsOf, rowsOf } from './predict.ts';
import type { PredictionLog } from './prediction-log/index.ts';
import { readRows } from './read-rows.ts';
import { hasFewValues, type Part } from './render.ts';
import type { Handler } from './router.ts';

/** Turns a part of a run's answers into the value of `prediction`. @throws OUTPUT_NOT_FINITE */
export type Render = (part: Part) => unknown;

/** A route that predicts: all that its requests share. */
export interface Predicting {
  readonly exchange: Exchange;
  readonly output: string;
  readonly render: Render;
  /** Counts the labels of a classifier's rows; undefined for other tasks. */
  readonly count: LabelCounter | undefined;
  readonly log: PredictionLog | undefined;
}

/** A request that waits for its prediction. */
abstract class Prediction implements Job, Awaiting {
  feeds: Feeds | undefined = undefined;
  rows = 0;
  since = 0;
  /** The body, where it is to be logged. */
  text: string | undefined = undefined;
  arrived = false;
  abstract readonly request: Incoming;
  protected readonly route: Predicting;
  protected readonly started = performance.now();

  constructor(route: Predicting) {
    this.route = route;
  }

  done(answers: Answers, from: number, alone: boolean): void {
    const { exchange, output, render, count, log } = this.route;
    const part: Part = { tensor: answers[output] as Part['tensor'], from, rows: this.rows, alone };
    const prediction = render(part);
    count?.(part);
    if (log && this.text !== undefined)
      log.predicted(exchange.asked(this.request), this.text, prediction, hasFewValues(part));
    this.answer(prediction);
  }

  gone(): boolean {
    return this.request.signal.aborted;
  }

  protected abstract answer(prediction: unknown): void;
  abstract fail(error: unknown): void;
}

/** One that Bun's server brought. */
class ServedPrediction extends Prediction {
  readonly request: Request;
  readonly #resolve: (response: Response) => void;

  constructor(route: Predicting, request: Request, resolve: (response: Response) => void) {
    super(route);
    this.request = request;
    this.#resolve = resolve;
  }

  protected answer(prediction: unknown): void {
    const { exchange } = this.route;
    this.#resolve(exchange.finish(this.request, Response.json({ prediction }, exchange.init), this.started, true));
  }

  fail(error: unknown): void {
    this.#resolve(this.route.exchange.refuse(this.request, error, this.started));
  }
}

/** As Response.json has it. */
const JSON_TYPE = 'application/json;charset=utf-8';

/** One that the front door read. */
class DirectPrediction extends Prediction implements DirectJob {
  readonly request: DirectRequest;
  readonly #reader: BodyReader;

  constructor(route: Predicting, request: DirectRequest, reader: BodyReader) {
    super(route);
    this.request = request;
    this.#reader = reader;
  }

  await(): void {
    this.#reader.bodies.watch(this);
  }

  take(bytes: string): void {
    if (this.arrived) return;
    this.arrived = true;
    if (this.route.log?.wants()) this.text = looseUtf8(Buffer.from(bytes, 'latin1'));
    this.#reader.takeBytes(bytes, this);
  }

  protected answer(prediction: unknown): void {
    const { exchange } = this.route;
    const answer = new DirectAnswer(200, JSON_TYPE, JSON.stringify({ prediction }), exchange.lines);
    this.request.reply(exchange.finish(this.request, answer, this.started, true));
  }

  fail(error: unknown): void {
    this.request.reply(this.route.exchange.refuseAs(this.request, error, this.started, directJson));
  }
}

export function sampleHandler({ contract, engine, batcher }: Served, route: Predicting): Handler {
  const sample = engine.sample();
  const rows = rowsOf(sample, contract.inputs);
  return (request) =>
    new Promise((resolve) => batcher.add(sample, rows, new ServedPrediction(route, request, resolve)));
}

/** POST /predict and the like. @param limit the largest body, bytes */
export function predictRoute(
  served: Served,
  route: Predicting,
  limit: number,
): { readonly handler: Handler; readonly direct: DirectRoute } {
  const { bodies } = served;
  const reader = new BodyReader(served);
  const handler: Handler = (request) =>
    new Promise((resolve) => {
      const job = new ServedPrediction(route, request, resolve);
      bodies.watch(job);
      readText(request, limit, reader.isLoose).then(
        (text) => {
          if (job.arrived) return;
          job.arrived = true;
          if (route.log?.wants()) job.text = text;
          reader.takeText(text, job);
        },
        (error) => {
          if (job.arrived) return;
          job.arrived = true;
          job.fail(job.gone() ? goneEarly() : error);
        },
      );
    });
  return { handler, direct: { method: 'POST', begin: (request) => new DirectPrediction(route, request, reader) } };
}

/** Gives the inputs in bodies to the batcher, or fails their requests. */
class BodyReader {
  readonly bodies: BodyWatch;
  readonly #batcher: Batcher;
  readonly #spec: BodySpec;
  /** Values a row of what is read straight into the batcher's array; undefined where bodies are not of that kind. */
  readonly #width: number | undefined;
  /** The largest magnitude that the datatype holds. */
  readonly #most: number;

  constructor({ contract, engine, batcher, bodies }: Served) {
    this.bodies = bodies;
    this.#batcher = batcher;
    this.#spec = { inputs: engine.inputs, features: contract.features, sample: () => engine.sample() };
    const staged = stagedInput(contract);
    this.#width = staged?.shape[1];
    this.#most = staged?.datatype === 'FP16' ? 65519 : Number.POSITIVE_INFINITY;
  }

  /** Whether what is no UTF-8 may be U+FFFD in a text. */
  get isLoose(): boolean {
    return this.#width !== undefined;
  }

  takeText(text: string, job: Prediction): void {
    if (!this.#takeRows(text, job)) this.#takeOther(text, job);
  }

  /** @param bytes one character each: bodies of plain rows are US-ASCII, and others are decoded */
  takeBytes(bytes: string, job: Prediction): void {
    if (this.#takeRows(bytes, job)) return;
    const own = Buffer.from(bytes, 'latin1');
    let decoded: string;
    try {
      decoded = this.isLoose ? looseUtf8(own) : utf8(own);
    } catch (error) {
      job.fail(error);
      return;
    }
    this.#takeOther(decoded, job);
  }

  #takeRows(text: string, job: Prediction): boolean {
    if (this.#width === undefined) return false;
    const { stage, at } = this.#batcher.room(text.length >> 1);
    const rows = readRows(text, this.#width, this.#most, stage as Float32Array, at);
    if (rows > 0) this.#batcher.commit(rows, job);
    return rows > 0;
  }

  #takeOther(text: string, job: Prediction): void {
    if (this.isLoose && text.includes('\uFFFD')) {
      job.fail(notUtf8());
      return;
    }
    try {
      const feeds = feedsOf(parseJson(text), this.#spec);
      this.#batcher.add(feeds, rowsOf(feeds, this.#spec.inputs), job);
    } catch (error) {
      job.fail(error);
    }
  }
}

/** The one input of plain rows of floats that bodies are read straight into, if the model is of that kind. */
export function stagedInput({ inputs }: Contract): TensorSpec | undefined {
  const [input, second] = inputs;
  const plain = input && !second && input.shape.length === 2 && input.shape[0] === -1 && (input.shape[1] ?? 0) > 0;
  return plain && DATATYPES[input.datatype].numpy.startsWith('float') ? input : undefined;
}

function goneEarly(): InlayError {
  return new InlayError('CLIENT_GONE', 'the client went away before its whole body had come');
}
