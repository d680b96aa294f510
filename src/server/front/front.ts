import type { Socket, SocketHandler, TCPSocketListener, TCPSocketListenOptions } from 'bun';
import { Connection, SILENT_S } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type DirectHead, type DirectLimits, requestLine } from './direct-head.ts';
import type { Peer } from './direct-request.ts';
import type { DirectRoute } from './direct-route.ts';
import { HeldBytes } from './held-bytes.ts';
import type { Pipe } from './pipe.ts';

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** The port of the server behind the door, on INNER_HOST. */
  readonly innerPort: number;
  /** How long a connection that is opened now may last, milliseconds. */
  readonly ageLimit: () => number;
  /** The largest body of a request, bytes. */
  readonly maxBodyBytes: number;
  /** The largest head of a request, bytes. */
  readonly maxHeaderBytes: number;
  /** What may lie here for connections that do not take it, bytes. */
  readonly maxBodiesBytes: number;
  /** Told of a connection that is ended, since there would be more. */
  readonly cut: () => void;
}

const CONNECT_ATTEMPTS = 100;
const CONNECT_AGAIN_MS = 50;
/** Beyond it nothing is saved here, and Bun frees what it read sooner than the garbage collector would, bytes. */
const LARGEST_BODY = 64 * 1024;
/** Clients of a model send no longer head, bytes. */
const LARGEST_HEAD = 8 * 1024;

/**
 * Accepts the connections of an HTTP server, answers the plain requests of hot routes itself, and leaves all others to a server of Bun's
 * behind it (docs/server.md says which). Reading the few bytes that nearly all requests are takes a third of the time that a whole
 * HTTP server takes for them.
 */
export class Front implements ConnectionHost {
  /** The address of the server behind: on Linux one of the loopback addresses that nobody else uses, so that both its ends tell. */
  static readonly INNER_HOST = process.platform === 'linux' ? '127.77.77.77' : '127.0.0.1';

  readonly #options: FrontOptions;
  readonly #listener: TCPSocketListener<Connection | undefined>;
  readonly #inner: SocketHandler<Pipe, 'buffer'>;
  /** By the port of an inner connection: whose it is. */
  readonly #peers = new Map<number, Peer>();
  readonly held: HeldBytes;
  limits: DirectLimits<DirectRoute> = { lines: new Map(), body: 0, head: 0 };
  recent: DirectHead<DirectRoute> | undefined = undefined;
  owed = 0;
  draining = false;
  #answered: Connection[] = [];
  #date = '';
  #dateSecond = 0;

  /** @throws what Bun.listen throws */
  constructor(options: FrontOptions) {
    this.#options = options;
    this.#inner = this.#innerHandlers();
    this.held = new HeldBytes(options.maxBodiesBytes, options.cut);
    const { host: hostname, port, reusePort } = options;
    // Bun's types know reusePort of its HTTP server alone.
    const shared: TCPSocketListenOptions<Connection | undefined> & { readonly reusePort: boolean } = {
      hostname,
      port,
      reusePort,
      allowHalfOpen: true,
      socket: this.#handlers(),
    };
    this.#listener = Bun.listen<Connection | undefined>(shared);
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Opens routes, by their paths. */
  open(routes: ReadonlyMap<string, DirectRoute>): void {
    const lines = new Map([...routes].map(([path, route]) => [requestLine(route.method, path), route]));
    const { maxBodyBytes, maxHeaderBytes } = this.#options;
    this.limits = {
      lines,
      body: Math.min(LARGEST_BODY, maxBodyBytes),
      head: Math.min(LARGEST_HEAD, maxHeaderBytes),
    };
    this.recent = undefined;
  }

  /** From now on an answer is the last on its connection. */
  drain(): void {
    this.draining = true;
  }

  /** Whether answers are owed or on their way. */
  get busy(): boolean {
    return this.owed > 0 || this.held.any;
  }

  /** Clients that do not take their answers are not waited for much longer. */
  hurry(): void {
    this.held.hurry();
  }

  /** Takes no further connections. @param all ends those that there are, too */
  stop(all: boolean): void {
    this.#listener.stop(all);
  }

  /** Who is behind a connection to the inner server. @param inner its own end */
  peerOf(inner: { readonly port: number }): Peer | undefined {
    return this.#peers.get(inner.port);
  }

  ageLimit(): number {
    return this.#options.ageLimit();
  }

  date(): string {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    }
    return this.#date;
  }

  flushSoon(connection: Connection): void {
    if (this.#answered.push(connection) === 1) queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    const answered = this.#answered;
    this.#answered = [];
    for (const connection of answered) connection.flush();
  };

  connectInner(pipe: Pipe, peer: Peer, attempts = CONNECT_ATTEMPTS): void {
    const socket: SocketHandler<Pipe, 'buffer'> = {
      ...this.#inner,
      open: (inner) => {
        pipe.innerPort = inner.localPort;
        this.#peers.set(pipe.innerPort, peer);
        pipe.opened(inner);
      },
    };
    Bun.connect<Pipe>({
      hostname: Front.INNER_HOST,
      port: this.#options.innerPort,
      allowHalfOpen: true,
      data: pipe,
      socket: socket as SocketHandler<Pipe>,
    }).catch(() => {
      // No further file may be opened: room is being made (ConnectionRoom), of those that wait for theirs, too.
      if (attempts > 1 && !pipe.ended)
        setTimeout(() => this.connectInner(pipe, peer, attempts - 1), CONNECT_AGAIN_MS).unref();
      else pipe.innerFailed();
    });
  }

  #innerHandlers(): SocketHandler<Pipe, 'buffer'> {
    return {
      binaryType: 'buffer',
      data: (inner, bytes) => inner.data.fromInner(bytes),
      drain: (inner) => inner.data.innerDrained(),
      end: (inner) => inner.data.innerEnded(),
      close: (inner) => {
        this.#peers.delete(inner.data.innerPort);
        inner.data.innerEnded();
      },
      error: (inner) => inner.data.innerFailed(),
    };
  }

  #handlers(): SocketHandler<Connection | undefined> {
    type Client = Socket<Connection | undefined>;
    const handlers: SocketHandler<Connection | undefined, 'buffer'> = {
      binaryType: 'buffer',
      open: (socket: Client) => void socket.timeout(SILENT_S),
      data: (socket: Client, bytes) => {
        socket.data ??= new Connection(this, socket);
        socket.data.received(bytes);
      },
      drain: (socket: Client) => socket.data?.drained(),
      end: (socket: Client) => {
        if (socket.data) socket.data.ended();
        else socket.end();
      },
      timeout: (socket: Client) => {
        if (socket.data) socket.data.timedOut();
        else socket.end();
      },
      close: (socket: Client) => socket.data?.closed(),
      error: (socket: Client) => void socket.terminate(),
    };
    return handlers as SocketHandler<Connection | undefined>;
  }
}
