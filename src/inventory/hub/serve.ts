import { InlayError, isInlayError } from '../../error/index.ts';
import { Access, isLoopback } from './access.ts';
import { Api, type ApiOptions } from './api.ts';
import { dashboardAnswer } from './dashboard.ts';
import { eventStream } from './events.ts';
import { metricsPage } from './metrics.ts';
import { isBrief } from './query.ts';

export interface ServeOptions extends ApiOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Needed for any address but loopback. */
  readonly token?: string | undefined;
}

export interface HubServer {
  readonly url: string;
  stop(): Promise<void>;
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
const MOST_BODY = 4096;
/** Characters from which an answer is compressed. */
const LONG = 50_000;
const SHORTEST_TOKEN = 16;

/**
 * Answers over HTTP what the hub knows.
 * @throws HUB_TOKEN_MISSING, PORT_IN_USE
 */
export function serveHub(options: ServeOptions): HubServer {
  const { hub, host, port, token } = options;
  if (!isLoopback(host) && (token === undefined || token.length < SHORTEST_TOKEN))
    throw new InlayError(
      'HUB_TOKEN_MISSING',
      token === undefined
        ? `${host} is not loopback: whoever reaches it could read the inventory`
        : `${host} is not loopback, and INLAY_HUB_TOKEN has only ${token.length} characters`,
      {
        hint: `Set INLAY_HUB_TOKEN to at least ${SHORTEST_TOKEN} characters (openssl rand -hex 32), or leave --host out.`,
      },
    );
  const access = new Access(token);
  const api = new Api(options);
  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const { pathname } = url;
    if (pathname === '/healthz') return new Response('ok\n');
    if (pathname === '/readyz')
      return new Response(hub.ready ? 'ok\n' : 'clusters are being listed\n', { status: hub.ready ? 200 : 503 });
    if (pathname === '/api/session' && request.method === 'POST') return login(access, request);
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const page = reads ? await dashboardAnswer(pathname) : undefined;
    if (page) return page;
    if (!access.allows(request)) return unauthorized(token !== undefined);
    if (!reads) return failed(405, 'METHOD_NOT_ALLOWED', 'the hub only reads');
    if (pathname === '/metrics')
      return new Response(metricsPage(hub), {
        headers: { ...HEADERS, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      });
    if (pathname === '/api/events')
      return eventStream(
        hub,
        request.headers.get('last-event-id') ?? url.searchParams.get('since'),
        isBrief(url.searchParams),
      );
    if (!pathname.startsWith('/api/')) return failed(404, 'NOT_FOUND', `there is no ${pathname}`);
    const found = await api.answer(pathname.slice('/api/'.length), url.searchParams);
    return found === undefined ? failed(404, 'NOT_FOUND', `there is no ${pathname}`) : json(found, request);
  };
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      // Events are silent for as long as nothing changes.
      idleTimeout: 60,
      maxRequestBodySize: MOST_BODY,
      fetch: async (request) => {
        try {
          return await answer(request);
        } catch (error) {
          if (error instanceof URIError) return failed(400, 'USAGE', 'the address is not well-formed');
          if (!isInlayError(error)) return failed(500, 'INTERNAL', 'this is a fault in inlay');
          return failed(error.code === 'USAGE' ? 400 : 503, error.code, error.message, error.hint);
        }
      },
    });
    return { url: server.url.href.replace(/\/$/, ''), stop: () => server.stop(true) };
  } catch (cause) {
    throw new InlayError('PORT_IN_USE', `${host}:${port} cannot be listened on: ${(cause as Error).message}`, {
      cause,
      hint: 'Choose another with --port.',
    });
  }
}

/** Long lists are a tenth when compressed. */
function json(value: unknown, request: Request): Response {
  const text = JSON.stringify(value);
  const headers = { ...HEADERS, 'content-type': 'application/json; charset=utf-8' };
  if (text.length < LONG || !/\bgzip\b/.test(request.headers.get('accept-encoding') ?? ''))
    return new Response(text, { headers });
  return new Response(Bun.gzipSync(text, { level: 1 }), {
    headers: { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
  });
}

/** With the challenge of RFC 9110, 11.6.1, where a token helps: by it the dashboard knows that it is to ask for one. */
function unauthorized(tokenHelps: boolean): Response {
  if (!tokenHelps) return failed(401, 'UNAUTHORIZED', 'only for this machine, by its own name');
  const response = failed(401, 'UNAUTHORIZED', 'a token is needed');
  response.headers.set('www-authenticate', 'Bearer');
  return response;
}

async function login(access: Access, request: Request): Promise<Response> {
  const body: unknown = await request.json().catch(() => undefined);
  const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
  if (typeof token !== 'string' || !access.isToken(token)) return failed(401, 'UNAUTHORIZED', 'that is not the token');
  const secure = request.headers.get('x-forwarded-proto') === 'https' || request.url.startsWith('https:');
  return Response.json({ ok: true }, { headers: { ...HEADERS, 'set-cookie': access.login(secure) } });
}

function failed(status: number, code: string, message: string, hint?: string): Response {
  return Response.json({ error: { code, message, ...(hint ? { hint } : {}) } }, { status, headers: HEADERS });
}
