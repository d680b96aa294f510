import { InlayError } from '../error/index.ts';
import { json } from './answer.ts';
import type { Incoming } from './incoming.ts';
import { oipHealthRoutes } from './oip/index.ts';
import type { Handler, Readings } from './router.ts';

/** What probes ask; each answers why it is not so, or undefined where it is. */
export interface Health {
  readonly notStarted: () => string | undefined;
  readonly notReady: () => string | undefined;
  readonly notLive: () => string | undefined;
}

/** Routes that are there before the model is. `/health` itself only says that something answers. */
export function healthRoutes({ notStarted, notReady, notLive }: Health): Readings {
  const ok = () => json({ health: 'ok' });
  const unless = (code: 'NOT_READY' | 'NOT_LIVE', why: () => string | undefined): Handler<Incoming> => {
    return () => {
      const message = why();
      if (message === undefined) return ok();
      throw new InlayError(code, message);
    };
  };
  return {
    '/health': { GET: ok },
    '/health/live': { GET: unless('NOT_LIVE', notLive) },
    '/health/ready': { GET: unless('NOT_READY', notReady) },
    '/health/startup': { GET: unless('NOT_READY', notStarted) },
    ...oipHealthRoutes(notReady, notLive),
  };
}
