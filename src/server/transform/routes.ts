import { readBytes } from '../body.ts';
import { decodeContent } from '../content-encoding.ts';
import type { Exchange } from '../exchange.ts';
import type { DirectRoute } from '../front/index.ts';
import type { Incoming } from '../incoming.ts';
import type { Served } from '../model-routes.ts';
import { OipModel } from '../oip/index.ts';
import { labelOf } from '../render.ts';
import type { Handler, Routes } from '../router.ts';
import type { Settings } from '../settings.ts';
import { wholeBodyRoute } from '../whole-body-route.ts';
import { type RawRequest, rawRequestOf } from './raw-request.ts';
import type { Transformer } from './transformer.ts';
import { Turns } from './turns.ts';

/** What turns a request's own outputs into the answer's JSON. */
interface Answering {
  readonly outputs: readonly string[];
  readonly answer: (outputs: Awaited<ReturnType<OipModel['infer']>>, request: RawRequest) => Promise<string>;
}

/** POST /predict and /predict/label through a transform. The model's runs are shared with all other requests. */
export function transformRoutes(
  served: Served,
  transformer: Transformer,
  settings: Settings,
  exchangeOf: (route: string) => Exchange,
): { readonly routes: Routes; readonly direct: ReadonlyMap<string, DirectRoute> } {
  const { contract, bodies } = served;
  const model = new OipModel(served);
  const turns = new Turns(settings);
  const predicting = (path: string, { outputs, answer }: Answering) => {
    const names = model.outputs(outputs);
    const exchange = exchangeOf(path);
    const answered = async (request: Incoming, bytes: Uint8Array) => {
      const gone = () => request.signal.aborted;
      const raw = await rawRequestOf(transformer.accepts, request.headers.get('content-type'), bytes);
      const feeds = await turns.run(() => transformer.feeds(raw), gone);
      const body = await answer(await model.infer(feeds, names, gone, () => exchange.asked(request)), raw);
      return { body, headers: { 'content-type': 'application/json' } };
    };
    const handler: Handler = async (request) => {
      const { maxBodyBytes: limit } = settings;
      const came = await bodies.within(request, readBytes(request, limit));
      const bytes = await decodeContent(came, request.headers.get('content-encoding'), limit);
      const { body, headers } = await answered(request, bytes);
      return new Response(body, { headers });
    };
    return { path, handler, direct: wholeBodyRoute({ exchange, bodies, answer: answered }) };
  };
  const labels = contract.labels?.names ?? [];
  const predict: Answering = {
    outputs: transformer.outputs,
    answer: (outputs, request) => transformer.answer(outputs, request),
  };
  const label: Answering = {
    outputs: [contract.prediction],
    answer: async (outputs) => {
      const tensor = outputs[contract.prediction];
      if (!tensor) throw new RangeError(`no output ${contract.prediction}`);
      return JSON.stringify({
        prediction: labelOf(contract.prediction, { tensor, from: 0, rows: 1, alone: true }, labels),
      });
    },
  };
  const labelled = contract.labels && contract.task === 'classification';
  const all = [predicting('/predict', predict), ...(labelled ? [predicting('/predict/label', label)] : [])];
  return {
    routes: Object.fromEntries(all.map(({ path, handler }) => [path, { POST: handler }])),
    direct: new Map(all.map(({ path, direct }) => [path, direct])),
  };
}
