import { didYouMean, InlayError } from '../error/index.ts';
import { HttpError } from './answer.ts';
import type { Incoming } from './incoming.ts';

export type Handler<R extends Incoming = Request> = (request: R) => Response | Promise<Response>;
export type Method = 'GET' | 'POST';
/** By path, then by method. */
export type Routes = Readonly<Record<string, Partial<Record<Method, Handler>>>>;
/** Routes that are only read, whoever read the request. */
export type Readings = Readonly<Record<string, { readonly GET: Handler<Incoming> }>>;

/**
 * What answers a request that no route takes: HEAD for what has GET, 405 for another method, 404 with the nearest path.
 * @throws HttpError 404, 405; NOT_READY while the model's routes are not open yet
 */
export function elsewhere(routes: Routes, ready: () => boolean): Handler {
  return (request) => {
    const path = pathOf(request.url);
    const route = routes[path];
    if (!route) throw notFound(path, routes, ready());
    if (request.method === 'HEAD' && route.GET) return route.GET(request);
    const allowed = Object.keys(route)
      .flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]))
      .join(', ');
    throw new HttpError(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${request.method}`, {
      headers: { allow: allowed },
    });
  };
}

function notFound(path: string, routes: Routes, ready: boolean): Error {
  if (!ready) return new InlayError('NOT_READY', 'the model is loading');
  const near = didYouMean(path, Object.keys(routes));
  return new HttpError(404, 'NOT_FOUND', `there is no ${path.slice(0, 200)}`, {
    hint: near ? `Did you mean ${near}?` : 'GET /docs lists the routes.',
  });
}

/** The path of `http://host:port/path?query`; URL would parse and allocate far more than this needs. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', 8);
  if (start < 0) return '/';
  const query = url.indexOf('?', start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

/** The same routes with other handlers. */
export function mapHandlers(routes: Routes, change: (handler: Handler, path: string) => Handler): Routes {
  return Object.fromEntries(
    Object.entries(routes).map(([path, methods]) => [
      path,
      Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, change(handler, path)])),
    ]),
  );
}
