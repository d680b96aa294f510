import { Duplex } from 'node:stream';
import type { Socket } from 'bun';
import type { OpenMessages } from './open-messages.ts';

/** A connection that Bun accepted, as the stream that node:http2 reads and writes. Neither side is read faster than it is used. */
export class SocketStream extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket<unknown>;
  /** What the socket did not take yet, and who waits for it. */
  #unsent: { readonly bytes: Uint8Array; readonly sent: (error?: Error) => void } | undefined;

  readonly #open: OpenMessages;

  /** @param open told of all that passes */
  constructor(socket: Socket<unknown>, open: OpenMessages) {
    super();
    this.#socket = socket;
    this.#open = open;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    // A connection that broke concerns nobody but its client.
    this.on('error', () => {});
  }

  /** Bytes that came; the socket keeps them for itself. */
  received(bytes: Uint8Array): void {
    this.#open.received(bytes);
    if (!this.push(Buffer.from(bytes))) this.#socket.pause();
  }

  /** The socket takes bytes again. */
  drained(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent) this.#send(unsent.bytes, unsent.sent);
  }

  /** The other side has ended, or the connection broke. */
  ended(): void {
    this.push(null);
    this.#unsent?.sent(new Error('the connection is closed'));
    this.#unsent = undefined;
    this.destroy();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, sent: (error?: Error) => void): void {
    this.#open.sent(bytes);
    this.#send(bytes, sent);
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.end();
    done(error);
  }

  // What node:http2 and grpc-js ask of a net.Socket.
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  #send(bytes: Uint8Array, sent: (error?: Error) => void): void {
    const count = this.#socket.write(bytes);
    if (count < 0) sent(new Error('the connection is closed'));
    else if (count === bytes.length) sent();
    else this.#unsent = { bytes: bytes.subarray(count), sent };
  }
}
