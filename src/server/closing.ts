import type { Handler } from './router.ts';

/** A client that keeps its connection would find it closed at the end of the drain. */
export function closing(handler: Handler): Handler {
  return async (request) => closeAfter(await handler(request));
}

/** An answer that is the last on its connection. */
export function closeAfter(response: Response): Response {
  response.headers.set('connection', 'close');
  return response;
}
