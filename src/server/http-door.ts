import type { Server } from 'bun';
import { type DirectRoute, Front, type Peer } from './front/index.ts';
import { type Handlers, listenHttp, listenOn } from './listen.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

type DirectRoutes = ReadonlyMap<string, DirectRoute>;

export interface HttpDoorOptions {
  readonly settings: Pick<
    Settings,
    'host' | 'port' | 'directRequests' | 'maxBodyBytes' | 'maxBodiesBytes' | 'maxHeaderBytes'
  >;
  readonly log: Log;
  /** Threads of this process listen on the same port: this is the `first` of them, or joins it. */
  readonly share: 'first' | 'join' | undefined;
  readonly handlers: Handlers;
  /** Routes that the front door may ask, by their paths. */
  readonly direct: DirectRoutes;
  /** How long a connection may last that is opened now, milliseconds. */
  readonly ageLimit: () => number;
  /** Told of a connection that is ended to keep what lies here for clients within bounds. */
  readonly cut: () => void;
}

/** Connections that are idle at the end have nothing under way: what was answered was flushed by the turn before. */
const LAST_FLUSH_MS = 50;

/**
 * What listens on the server's port: Bun's HTTP server, or a front door that reads plain requests itself, with Bun's server behind it
 * for all others.
 */
export class HttpDoor {
  readonly #server: Server<undefined>;
  readonly #front: Front | undefined;

  /** @throws PORT_IN_USE, ENVIRONMENT_INVALID */
  constructor(options: HttpDoorOptions) {
    const { settings, share, handlers } = options;
    const inner = settings.directRequests ? listenInside(options) : undefined;
    this.#server = inner ?? listenHttp(settings, share, handlers);
    if (!inner) return;
    this.#front = openFront(options, inner);
    this.#front.open(options.direct);
  }

  get port(): number {
    return this.#front?.port ?? (this.#server.port as number);
  }

  /** Opens other routes. */
  open(handlers: Handlers, direct: DirectRoutes): void {
    this.#server.reload(handlers);
    this.#front?.open(direct);
  }

  /** Answers are the last on their connections from now on. @param handlers say so */
  drain(handlers: Handlers): void {
    this.#server.reload(handlers);
    this.#front?.drain();
  }

  /** Who sent a request that Bun's server has. */
  peerOf(request: Request): Peer | null {
    const peer = this.#server.requestIP(request);
    return (peer && this.#front?.peerOf(peer)) ?? peer;
  }

  /** Takes no further connections, waits for the answers that are owed, and ends. @param stuck true where they never come */
  async finish(stuck: () => boolean): Promise<void> {
    this.#front?.stop(false);
    this.#front?.hurry();
    // The front door's connections may still need the server behind it.
    const closed = this.#front ? undefined : this.#server.stop(false);
    do {
      while (this.#busy && !stuck()) await Bun.sleep(5);
      await Promise.race([closed, Bun.sleep(LAST_FLUSH_MS)]);
    } while (this.#busy && !stuck());
    await this.close();
  }

  /** Ends at once, whatever is under way. */
  async close(): Promise<void> {
    this.#front?.stop(true);
    await this.#server.stop(true);
  }

  get #busy(): boolean {
    return this.#server.pendingRequests > 0 || this.#front?.busy === true;
  }
}

/** Undefined where this machine has no loopback interface. */
function listenInside({ handlers, log }: HttpDoorOptions): Server<undefined> | undefined {
  try {
    return listenHttp({ host: Front.INNER_HOST, port: 0 }, undefined, handlers);
  } catch (error) {
    log.warning('plain requests are not read directly', { cause: (error as Error).message });
    return undefined;
  }
}

/** @throws PORT_IN_USE, ENVIRONMENT_INVALID */
function openFront({ settings, share, ageLimit, cut }: HttpDoorOptions, inner: Server<undefined>): Front {
  try {
    return listenOn(
      settings,
      share,
      (port, reusePort) => new Front({ ...settings, port, reusePort, innerPort: inner.port as number, ageLimit, cut }),
    );
  } catch (error) {
    inner.stop(true);
    throw error;
  }
}
