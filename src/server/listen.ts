import type { Server } from 'bun';
import { InlayError } from '../error/index.ts';
import type { Handler, Routes } from './router.ts';
import type { Settings } from './settings.ts';

/** Seconds that a connection may be idle: longer than the 60 s of common load balancers, which must close first. */
const IDLE_TIMEOUT_S = 75;

/** What Bun calls for each request: its own router first, `fetch` for what that does not know, `error` for what fails. */
export interface Handlers {
  readonly routes: Routes;
  readonly fetch: Handler;
  readonly error: (error: unknown) => Response;
}

/**
 * Listens on a port.
 * @param share threads of this process listen on the same port: this is the `first` of them, or joins it
 * @throws PORT_IN_USE, ENVIRONMENT_INVALID
 */
export function listenHttp(
  at: Pick<Settings, 'host' | 'port'>,
  share: 'first' | 'join' | undefined,
  handlers: Handlers,
): Server<undefined> {
  return listenOn(at, share, (port, reusePort) =>
    Bun.serve({
      hostname: at.host,
      port,
      reusePort,
      idleTimeout: IDLE_TIMEOUT_S,
      // Bun's own limit answers 413 without a body, so ours (body.ts) stands alone.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      ...handlers,
    }),
  );
}

/**
 * Listens on a port, by whatever can.
 * @param share as for `listenHttp` @throws PORT_IN_USE, ENVIRONMENT_INVALID
 */
export function listenOn<L extends { readonly port?: number | undefined; stop(all: boolean): unknown }>(
  { host, port }: Pick<Settings, 'host' | 'port'>,
  share: 'first' | 'join' | undefined,
  listen: (port: number, reusePort: boolean) => L,
): L {
  try {
    if (share !== 'first') return listen(port, share === 'join');
    // A shared port would also be shared with a stranger: first see that it is free.
    const alone = listen(port, false);
    const free = alone.port as number;
    alone.stop(true);
    return listen(free, true);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new InlayError('PORT_IN_USE', `port ${port} is in use on ${host}`, {
        cause,
        hint: 'Choose another with PORT or --port.',
      });
    throw new InlayError('ENVIRONMENT_INVALID', `cannot listen on ${host}:${port}: ${message}`, {
      cause,
      hint: 'Check HOST and PORT.',
    });
  }
}
