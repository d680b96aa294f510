import type { Socket, TCPSocketListener } from 'bun';
import { InlayError } from '../../../error/index.ts';
import type { GrpcServer } from './grpc-server.ts';
import type { Serving } from './inference-service.ts';
import { OpenMessages } from './open-messages.ts';
import type { SocketStream } from './socket-stream.ts';

export interface GrpcOptions extends Serving {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The largest message, bytes. */
  readonly limit: number;
  /** What has come of messages that are not whole yet, together, bytes. */
  readonly limitTogether: number;
  /** After about so long a connection is asked to end, milliseconds; 0: never. */
  readonly maxConnectionAgeMs: number;
}

/** What belongs to a connection: its stream, or the bytes that came before there was one. */
interface Connection {
  stream: SocketStream | undefined;
  early: Uint8Array[];
  readonly open: OpenMessages;
}

/** A connection that sends nothing for so long at its beginning is closed, s: as Bun's HTTP server has it. */
const SILENT_S = 10;

/** So much is worth a collection (some 10 ms) once it is over, so many milliseconds later. */
const MUCH = 16 * 2 ** 20;
const GC_MS = 1000;

/** How long calls that are under way may take when it closes, ms. */
const LAST_CALLS_MS = 30_000;

/**
 * Listens for gRPC. Its libraries (30 MB, 0.2 s) are loaded when the first connection sends something, so that a server
 * that is asked over HTTP alone does not pay for them.
 */
export class GrpcListener {
  readonly #options: GrpcOptions;
  readonly #listener: TCPSocketListener<Connection>;
  readonly #sockets = new Set<Socket<Connection>>();
  /** Bytes of messages that are not whole yet, on all connections; and the most that it was since memory was given back. */
  #openBytes = 0;
  #connections = 0;
  #mostOpenBytes = 0;
  #collecting: ReturnType<typeof setTimeout> | undefined;
  #loading: Promise<typeof import('./grpc.ts')> | undefined;
  #server: GrpcServer | undefined;

  /** @throws PORT_IN_USE, ENVIRONMENT_INVALID */
  constructor(options: GrpcOptions) {
    this.#options = options;
    this.#listener = this.#listen();
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Connections that have sent something, so far: calls of one that is kept come whether or not new ones are routed here. */
  get connections(): number {
    return this.#connections;
  }

  /** Tells those who watch the server's health that it is ready, or no longer. */
  readinessChanged(): void {
    this.#server?.readinessChanged();
  }

  /**
   * Stops without failing a call: not ready at once, still serving until `quiet`, then closed when the last answer is out.
   * @param quiet resolves when whoever routes calls here has noticed
   */
  async drain(quiet: Promise<unknown>): Promise<void> {
    this.readinessChanged();
    await quiet;
    await this.close();
  }

  /** Takes no further connections, sends GOAWAY on those there are, and waits for the answers under way. */
  async close(mostMs = LAST_CALLS_MS): Promise<void> {
    this.#listener.stop(false);
    await this.#loading?.catch(() => {});
    await this.#server?.close(mostMs);
    this.#listener.stop(true);
  }

  #listen(): TCPSocketListener<Connection> {
    const { host, port } = this.#options;
    try {
      return Bun.listen<Connection>({
        hostname: host,
        port,
        socket: {
          open: (socket) => {
            socket.data = { stream: undefined, early: [], open: new OpenMessages((bytes) => this.#count(bytes)) };
            this.#sockets.add(socket);
            socket.timeout(SILENT_S);
          },
          data: (socket, bytes) => {
            const { data } = socket;
            if (data.stream) data.stream.received(bytes);
            else if (data.early.push(bytes.slice()) === 1) {
              socket.timeout(0);
              this.#serve(socket).catch((error) => {
                this.#options.log.error(`gRPC cannot be served: ${error}`);
                socket.end();
              });
            }
          },
          // Nothing came: a probe of the port that forgot to leave, or somebody who takes room.
          timeout: (socket) => void socket.end(),
          drain: ({ data }) => data.stream?.drained(),
          close: (socket) => {
            this.#sockets.delete(socket);
            socket.data.open.close();
            socket.data.stream?.ended();
          },
          error: ({ data }) => data.stream?.ended(),
        },
      });
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE')
        throw new InlayError('PORT_IN_USE', `port ${port} is in use on ${host}`, {
          cause,
          hint: 'Choose another with GRPC_PORT, or 0 for no gRPC.',
        });
      throw new InlayError('ENVIRONMENT_INVALID', `cannot listen on ${host}:${port}: ${message}`, {
        cause,
        hint: 'Check HOST and GRPC_PORT.',
      });
    }
  }

  /** Where too much is held for messages that do not end, the connection that has most of it is closed. */
  #count(bytes: number): void {
    this.#openBytes += bytes;
    if (this.#openBytes > this.#mostOpenBytes) this.#mostOpenBytes = this.#openBytes;
    if (bytes > 0 && this.#openBytes > this.#options.limitTogether) {
      let most: Socket<Connection> | undefined;
      for (const one of this.#sockets) if (one.data.open.bytes > (most?.data.open.bytes ?? 0)) most = one;
      this.#options.log.warning('a gRPC connection is closed: its messages do not end', {
        peer: most?.remoteAddress,
        bytes: most?.data.open.bytes,
      });
      this.#options.metrics.connectionsCut(1);
      most?.terminate();
    } else if (bytes < 0 && this.#openBytes === 0 && this.#mostOpenBytes > MUCH) {
      this.#mostOpenBytes = 0;
      this.#collectSoon();
    }
  }

  /** Memory outside of the heap does not make Bun collect: what messages took would be kept until much more has come. */
  #collectSoon(): void {
    this.#collecting ??= setTimeout(() => {
      this.#collecting = undefined;
      Bun.gc(true);
    }, GC_MS);
    this.#collecting.unref();
  }

  async #serve(socket: Socket<Connection>): Promise<void> {
    this.#connections++;
    this.#loading ??= import('./grpc.ts');
    const { GrpcServer, SocketStream } = await this.#loading;
    this.#server ??= new GrpcServer(this.#options, this.#options);
    // A connection that is gone already, as a probe of the port makes.
    if (socket.readyState !== 1) return;
    const stream = new SocketStream(socket, socket.data.open);
    socket.data.stream = stream;
    this.#server.inject(stream);
    for (const bytes of socket.data.early) stream.received(bytes);
    socket.data.early = [];
  }
}
