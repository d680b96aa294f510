import { type Contract, INLAY_VERSION } from '../contract/index.ts';
import type { Batcher, BatchProof, Engine, Lanes } from '../engine/index.ts';
import type { AllMetrics } from './all-metrics.ts';
import { HttpError, json } from './answer.ts';
import type { BodyWatch } from './body-watch.ts';
import { docsRoutes } from './docs.ts';
import type { Exchange } from './exchange.ts';
import type { DirectRoute } from './front/index.ts';
import type { Incoming } from './incoming.ts';
import { labelCounter } from './label-counter.ts';
import type { Log } from './log.ts';
import { heldMemory } from './memory.ts';
import { metadataOf } from './metadata.ts';
import { type Metrics, renderMetrics } from './metrics.ts';
import { openApiOf } from './openapi.ts';
import { playgroundRoutes } from './playground.ts';
import { type Predicting, predictRoute, type Render, sampleHandler } from './predict-route.ts';
import type { PredictionLog } from './prediction-log/index.ts';
import { processMetrics } from './process-metrics.ts';
import { readingRoute } from './reading-route.ts';
import { labelOf, type Part, predictionOf } from './render.ts';
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
  const posted = served.transformer
    ? []
    : [
        ['/predict', predictRoute(served, predicting('/predict', predict), settings.maxBodyBytes)] as const,
        ...(labelled
          ? [
              [
                '/predict/label',
                predictRoute(served, predicting('/predict/label', label), settings.maxBodyBytes),
              ] as const,
            ]
          : []),
      ];
  const { transformer } = served;
  const transformed = transformer && (await transformRoutes(served, transformer, settings, exchangeOf));
  const metrics = metricsHandler(served);
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
    '/metrics': { GET: metrics },
    ...(labelled ? {} : { '/predict/test/label': { GET: noLabels }, '/predict/label': { POST: noLabels } }),
    ...transformed?.routes,
  };
  const direct = new Map<string, DirectRoute>([
    ['/metrics', readingRoute(exchangeOf('/metrics').wrap(metrics))],
    ...posted.map(([path, route]) => [path, route.direct] as const),
    ...(transformed?.direct ?? []),
  ]);
  const own: Routes = {
    '/predict/test': { GET: sampleHandler(served, predicting('/predict/test', predict)) },
    ...(labelled
      ? { '/predict/test/label': { GET: sampleHandler(served, predicting('/predict/test/label', label)) } }
      : {}),
    ...Object.fromEntries(posted.map(([path, { handler }]) => [path, { POST: handler }])),
  };
  return { routes, own, direct };
}

/** Routes whose exchanges are still to be finished, and those that do it themselves since every request counts there. */
export interface ModelRoutes {
  readonly routes: Routes;
  readonly own: Routes;
  /** Those that the front door may ask, exchanges and all. */
  readonly direct: ReadonlyMap<string, DirectRoute>;
}

function metricsHandler({ contract, allMetrics }: Served): Handler<Incoming> {
  const { name, version, model } = contract;
  const info = { name, version, digest: model.digest, inlay: INLAY_VERSION };
  const labels = contract.task === 'classification' ? (contract.labels?.names ?? []) : [];
  return async () =>
    new Response(renderMetrics(await allMetrics.collect(), info, labels, heldMemory()) + processMetrics(), {
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
}
