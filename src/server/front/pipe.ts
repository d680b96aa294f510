import type { Socket } from 'bun';
import type { HeldBytes, Holder } from './held-bytes.ts';
import { Outbox } from './outbox.ts';

/** What both ends of a pipe are to it. */
type End = Pick<Socket<unknown>, 'write' | 'pause' | 'resume' | 'end' | 'shutdown' | 'terminate' | 'timeout'>;

/** So much is taken of a client before there is an inner connection, bytes: one that is paused is not known to have gone. */
const MOST_EARLY = 64 * 1024;

/**
 * Passes all bytes between a client and the server behind the front door, as they are. A client is not read faster than that server
 * takes it, nor while it does not take its answers. An answer is read as it comes, up to a share of all that may lie here: that server
 * would keep it otherwise, where nobody counts it.
 */
export class Pipe implements Holder {
  readonly #host: { readonly held: HeldBytes };
  readonly #client: End;
  #inner: End | undefined;
  #toInner: Buffer | undefined;
  readonly #toClient: Outbox;
  #clientEnded: boolean;
  #innerEnded = false;
  #closed = false;
  #heldBytes = 0;
  /** The inner connection's own port, once it has one. */
  innerPort = 0;

  /** @param first what came already @param ended the client sends no more */
  constructor(host: { readonly held: HeldBytes }, client: End, first: Buffer, ended: boolean) {
    this.#host = host;
    this.#client = client;
    this.#toClient = new Outbox(client);
    this.#toInner = first;
    this.#clientEnded = ended;
    this.#account();
  }

  /** Whether its client has gone, or sends no more. */
  get ended(): boolean {
    return this.#closed || this.#clientEnded;
  }

  opened(inner: End): void {
    this.#inner = inner;
    if (this.#closed) inner.terminate();
    else this.innerDrained();
  }

  fromClient(bytes: Buffer): void {
    if (this.#closed) return;
    if (this.#toInner) {
      this.#toInner = Buffer.concat([this.#toInner, bytes]);
      if (this.#toInner.length > MOST_EARLY) this.#client.pause();
      this.#account();
      return;
    }
    const sent = (this.#inner as End).write(bytes);
    if (sent < 0 || sent === bytes.length) return;
    this.#toInner = Buffer.from(bytes.subarray(sent));
    this.#client.pause();
    this.#account();
  }

  fromInner(bytes: Buffer): void {
    const waiting = this.#toClient.full;
    if (this.#closed || this.#toClient.write(bytes)) return;
    if (!waiting) this.hurry();
    this.#client.pause();
    if (this.#toClient.bytes > this.#host.held.share) this.#inner?.pause();
    this.#account();
  }

  innerDrained(): void {
    const bytes = this.#toInner;
    if (!bytes || !this.#inner) return;
    const sent = this.#inner.write(bytes);
    if (sent >= 0 && sent < bytes.length) {
      this.#toInner = bytes.subarray(sent);
      this.#account();
      return;
    }
    this.#toInner = undefined;
    this.#account();
    if (!this.#toClient.full) this.#client.resume();
    if (this.#clientEnded) this.#inner.shutdown();
  }

  clientDrained(): void {
    if (!this.#toClient.full) return;
    const all = this.#toClient.drained();
    this.#account();
    if (!all) this.hurry();
    else if (this.#innerEnded) this.#client.end();
    else this.#client.timeout(0);
    if (this.#innerEnded) return;
    if (this.#toClient.bytes <= this.#host.held.share) this.#inner?.resume();
    if (all && !this.#toInner) this.#client.resume();
  }

  /** The client sends no more. */
  clientEnded(): void {
    this.#clientEnded = true;
    if (!this.#toInner) this.#inner?.shutdown();
  }

  /** The server behind sends no more: the connection ends once the client has what there is. */
  innerEnded(): void {
    if (this.#innerEnded) return;
    this.#innerEnded = true;
    this.#inner?.end();
    if (this.#closed) return;
    if (!this.#toClient.full) this.#client.end();
  }

  /** The server behind cannot be reached, or its connection broke. */
  innerFailed(): void {
    this.#innerEnded = true;
    if (!this.#closed) this.#client.terminate();
  }

  clientClosed(): void {
    this.#closed = true;
    this.#toInner = undefined;
    this.#toClient.clear();
    this.#account();
    this.#inner?.terminate();
  }

  clientTimedOut(): void {
    if (this.#innerEnded || this.#toClient.full) this.#client.terminate();
  }

  hurry(): void {
    if (this.#toClient.full) this.#client.timeout(this.#host.held.stalledS);
  }

  /** Tells how much lies here. */
  #account(): void {
    const before = this.#heldBytes;
    const now = (this.#toInner?.length ?? 0) + this.#toClient.bytes;
    if (now === before) return;
    this.#heldBytes = now;
    if (!this.#host.held.change(this, before, now)) this.#client.terminate();
  }
}
