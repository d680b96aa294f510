import { type Contract, DATATYPES, type TensorSpec } from '../contract/index.ts';
import type { Answers, Batcher, BatchProof, Engine, Feeds, Job, Lanes } from '../engine/index.ts';
import { HttpError, json } from './answer.ts';
import { notUtf8, parseJson, readBytes, readText, utf8 } from './body.ts';
import { docsRoutes } from './docs.ts';
import { metadataOf } from './metadata.ts';
import { openApiOf } from './openapi.ts';
import { type BodySpec, feedsOf, rowsOf } from './predict.ts';
import { readRows } from './read-rows.ts';
import { labelOf, type Part, predictionOf } from './render.ts';
import type { Handler, Routes } from './router.ts';
import type { Settings } from './settings.ts';

/** A model that is ready to answer. */
export interface Served {
  readonly contract: Contract;
  readonly engine: Engine;
  readonly batcher: Batcher;
  readonly batch: BatchProof;
  readonly lanes: Lanes;
}

/** Turns a part of a run's answers into the value of `prediction`. @throws OUTPUT_NOT_FINITE */
type Render = (part: Part) => unknown;

/** The routes that a model opens. */
export async function modelRoutes(served: Served, settings: Settings): Promise<Routes> {
  const { contract, engine, lanes } = served;
  const [lane] = lanes.lanes;
  const answers = await lane?.run(engine.sample(), [contract.prediction]);
  const sampled = answers?.[contract.prediction] as Part['tensor'];
  const predict: Render = (part) => predictionOf(contract.prediction, part);
  const samplePrediction = predict({ tensor: sampled, from: 0, rows: 1, alone: true });
  const metadata = metadataOf(served, sampled, samplePrediction);
  const openApi = openApiOf(contract, samplePrediction);
  const { labels } = contract;
  const label: Render = (part) => labelOf(contract.prediction, part, labels?.names ?? []);
  const labelled = (handler: Handler): Handler =>
    labels && contract.task === 'classification'
      ? handler
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
      GET: labelled(() =>
        json(Object.fromEntries((labels?.keys ?? []).map((key, column) => [key, labels?.names[column]]))),
      ),
    },
    '/predict/test': { GET: sampleHandler(served, predict) },
    '/predict/test/label': { GET: labelled(sampleHandler(served, label)) },
    '/predict': { POST: predictHandler(served, predict, settings.maxBodyBytes) },
    '/predict/label': { POST: labelled(predictHandler(served, label, settings.maxBodyBytes)) },
  };
}

/** A request that waits for its prediction. */
class Prediction implements Job {
  feeds: Feeds | undefined = undefined;
  rows = 0;
  readonly names = undefined;
  readonly #output: string;
  readonly #render: Render;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;

  constructor(output: string, render: Render, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#output = output;
    this.#render = render;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  done(answers: Answers, from: number, alone: boolean): void {
    const tensor = answers[this.#output] as Part['tensor'];
    this.#resolve(Response.json({ prediction: this.#render({ tensor, from, rows: this.rows, alone }) }));
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

function sampleHandler({ contract, engine, batcher }: Served, render: Render): Handler {
  const sample = engine.sample();
  const rows = rowsOf(sample, contract.inputs);
  return () =>
    new Promise((resolve, reject) =>
      batcher.add(sample, rows, new Prediction(contract.prediction, render, resolve, reject)),
    );
}

function predictHandler({ contract, engine, batcher }: Served, render: Render, limit: number): Handler {
  const body: BodySpec = { inputs: engine.inputs, features: contract.features, sample: () => engine.sample() };
  const staged = stagedInput(contract);
  const width = staged?.shape[1] ?? 0;
  const most = staged?.datatype === 'FP16' ? 65519 : Number.POSITIVE_INFINITY;
  const general = (text: string, job: Job): void => {
    try {
      const feeds = feedsOf(parseJson(text), body);
      batcher.add(feeds, rowsOf(feeds, body.inputs), job);
    } catch (error) {
      job.fail(error);
    }
  };
  const straight = (text: string, job: Job): void => {
    const { stage, at } = batcher.room(text.length >> 1);
    const rows = readRows(text, width, most, stage as Float32Array, at);
    if (rows > 0) batcher.commit(rows, job);
    else if (text.includes('\uFFFD')) job.fail(notUtf8());
    else general(text, job);
  };
  return (request) =>
    new Promise((resolve, reject) => {
      const job = new Prediction(contract.prediction, render, resolve, reject);
      if (staged) readText(request, limit).then((text) => straight(text, job), reject);
      else
        readBytes(request, limit)
          .then((bytes) => general(utf8(bytes), job))
          .catch(reject);
    });
}

/** The one input of plain rows of floats that bodies are read straight into, if the model is of that kind. */
export function stagedInput({ inputs }: Contract): TensorSpec | undefined {
  const [input, second] = inputs;
  const plain = input && !second && input.shape.length === 2 && input.shape[0] === -1 && (input.shape[1] ?? 0) > 0;
  return plain && DATATYPES[input.datatype].numpy.startsWith('float') ? input : undefined;
}
