import { type ErrorBody, json } from '../answer.ts';
import { readBytes } from '../body.ts';
import type { BodyWatch } from '../body-watch.ts';
import { decodeContent } from '../content-encoding.ts';
import { type Exchange, tracing } from '../exchange.ts';
import type { DirectRoute } from '../front/index.ts';
import type { Incoming } from '../incoming.ts';
import type { Handler, Readings, Routes } from '../router.ts';
import { wholeBodyRoute } from '../whole-body-route.ts';
import { modelMetadata, SERVER_METADATA } from './metadata.ts';
import type { OipModel } from './model.ts';
import { type InferAnswer, inferAnswer } from './rest-answer.ts';
import { HEADER_LENGTH, readInferRequest } from './rest-request.ts';

/** Why the server is not ready (or not live), or undefined where it is. */
export type NotReady = () => string | undefined;

/** `/v2/health/…`: there before the model is. The status tells; clients differ in what they want of the body. */
export function oipHealthRoutes(notReady: NotReady, notLive: NotReady): Readings {
  const live: Handler<Incoming> = () => {
    const error = notLive();
    return error === undefined ? json({ live: true }) : json({ live: false, error }, 503);
  };
  const ready: Handler<Incoming> = () => {
    const error = notReady();
    if (error === undefined) return json({ live: true, ready: true });
    return json({ live: notLive() === undefined, ready: false, error }, 503);
  };
  return bothSlashForms({ '/v2/health/live': { GET: live }, '/v2/health/ready': { GET: ready } });
}

/**
 * The Open Inference Protocol's REST routes of a model, with the binary tensor extension.
 * @param limit the largest body, bytes
 */
export function oipRoutes(
  model: OipModel,
  options: {
    readonly notReady: NotReady;
    readonly limit: number;
    readonly bodies: BodyWatch;
    readonly exchangeOf: (route: string) => Exchange;
  },
): { readonly routes: Routes; readonly direct: ReadonlyMap<string, DirectRoute> } {
  const { name, version } = model.contract;
  const metadata = modelMetadata(model);
  const infer = async (route: string, request: Incoming, bytes: Uint8Array): Promise<InferAnswer> => {
    const asked = readInferRequest(model, request.headers.get(HEADER_LENGTH), bytes);
    const answers = await model.infer(
      asked.feeds,
      asked.outputs,
      () => request.signal.aborted,
      () => ({ route, ...tracing((header) => request.headers.get(header)), id: asked.id }),
    );
    return inferAnswer(model.contract, asked, answers);
  };
  const inferAt =
    (path: string): Handler =>
    async (request) => {
      const came = await options.bodies.within(request, readBytes(request, options.limit));
      const bytes = await decodeContent(came, request.headers.get('content-encoding'), options.limit);
      const { body, headers } = await infer(oipPattern(path), request, bytes);
      return new Response(body, { headers });
    };
  const direct = new Map<string, DirectRoute>();
  const ready: Handler = () => {
    const error = options.notReady();
    return json({ name, ready: error === undefined, ...(error === undefined ? {} : { error }) }, error ? 503 : 200);
  };
  const routes: Record<string, Routes[string]> = { '/v2': { GET: () => json(SERVER_METADATA) } };
  for (const path of [`/v2/models/${name}`, `/v2/models/${name}/versions/${version}`]) {
    routes[path] = { GET: () => json(metadata) };
    routes[`${path}/ready`] = { GET: ready };
    routes[`${path}/infer`] = { POST: inferAt(`${path}/infer`) };
    const pattern = oipPattern(`${path}/infer`);
    const exchange = options.exchangeOf(pattern);
    const answer = (request: Incoming, bytes: Uint8Array) => infer(pattern, request, bytes);
    for (const end of ['', '/']) direct.set(`${path}/infer${end}`, wholeBodyRoute({ exchange, ...options, answer }));
  }
  return { routes: bothSlashForms(routes), direct };
}

/** Whether a path is the protocol's, and so are its errors. */
export function isOipPath(path: string): boolean {
  return path === '/v2' || path.startsWith('/v2/');
}

/**
 * A path of the protocol that no route has: another model or version than the one that is served, if it is of that kind.
 * @throws HttpError 404
 */
export function checkOipPath(model: OipModel, path: string): void {
  const match = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(?:ready|infer))?\/?$/.exec(path);
  if (match) model.check(decoded(match[1] as string), decoded(match[2] ?? ''));
}

/** The patterns that a request for an inference has. */
export const INFER_PATTERNS = ['/v2/models/{name}/infer', '/v2/models/{name}/versions/{version}/infer'];

/** The route that a path is counted as: without names, versions and the slash at the end. */
export function oipPattern(path: string): string {
  return path
    .replace(/\/$/, '')
    .replace(/^\/v2\/models\/[^/]+/, '/v2/models/{name}')
    .replace(/\/versions\/[^/]+/, '/versions/{version}');
}

/** What fails is told as the protocol does: `{"error": "…"}`. */
export const oipError: ErrorBody = ({ message, hint }) => ({ error: sentence(message, hint) });

/** What went wrong and what to do about it, where there is room for one text only. */
export function sentence(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

function bothSlashForms<R>(routes: Readonly<Record<string, R>>): Readonly<Record<string, R>> {
  return Object.fromEntries(
    Object.entries(routes).flatMap(([path, route]) => [
      [path, route],
      [`${path}/`, route],
    ]),
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
