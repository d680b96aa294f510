import type { Socket } from 'bun';
import { AnswerQueue } from './answer-queue.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type DirectHead, readDirectHead } from './direct-head.ts';
import { DirectRequest, type Peer } from './direct-request.ts';
import type { DirectRoute } from './direct-route.ts';
import type { Holder } from './held-bytes.ts';
import { OpenBody } from './open-body.ts';
import { Outbox } from './outbox.ts';
import { Pipe } from './pipe.ts';

/** A connection that sends no whole head for so long is closed, s: as Bun's server has it. */
export const SILENT_S = 10;
/** As Bun's server has it: a connection that is silent behind an answer for so long is closed, s. */
const IDLE_TIMEOUT_S = 75;
/** So many requests of one connection are read before the first of them is answered. */
const MOST_OWED = 64;
const HEAD_END = '\r\n\r\n';

/**
 * A connection of a client. As long as its requests are of the one plain shape they are answered here, in their order; at the first that
 * is not, all bytes from there on go to the server behind, and its bytes come back, and nobody here reads them any more.
 */
export class Connection implements Holder {
  readonly #host: ConnectionHost;
  readonly #socket: Socket<Connection | undefined>;
  readonly #since = performance.now();
  /** When it has lasted for long enough, milliseconds of performance.now(). */
  readonly endsAt: number;
  /** Nobody reads answers any more, as far as one can tell: the client has ended its side. */
  aborted = false;
  #closed = false;
  readonly #answers = new AnswerQueue();
  readonly #out: Outbox;
  #flushing = false;
  #body: OpenBody | undefined = undefined;
  /** A head that has not come as a whole. */
  #part: Buffer | undefined = undefined;
  /** A request was read here. */
  #wasRead = false;
  /** Bytes that came and are not read yet, while the socket is paused. */
  #held: Buffer | undefined = undefined;
  #paused = false;
  /** What was told of to the host. */
  #heldBytes = 0;
  #handingOver = false;
  #pipe: Pipe | undefined = undefined;

  constructor(host: ConnectionHost, socket: Socket<Connection | undefined>) {
    this.#host = host;
    this.#socket = socket;
    this.#out = new Outbox(socket);
    this.endsAt = this.#since + host.ageLimit();
  }

  get peer(): Peer {
    const { remoteAddress: address, remotePort: port } = this.#socket;
    return { address, port, since: this.#since };
  }

  /** Bytes came; they are the socket's again afterwards. */
  received(bytes: Buffer): void {
    if (this.#pipe) this.#pipe.fromClient(bytes);
    else if (this.#paused) {
      this.#held = Buffer.concat(this.#held ? [this.#held, bytes] : [bytes]);
      this.#account();
    } else if (!this.#answers.ending && (this.#body || !this.#answers.isLast)) this.#take(bytes);
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.#pipe) this.#pipe.clientDrained();
    else if (this.#out.full) this.#sent(this.#out.drained());
  }

  /** The client sends no more. It may still read, but one that is gone looks alike: what it asked for is dropped if it has to wait. */
  ended(): void {
    this.aborted = true;
    if (this.#pipe) {
      this.#pipe.clientEnded();
      return;
    }
    this.#body?.fail();
    this.#body = undefined;
    this.#endIfDone();
  }

  closed(): void {
    this.aborted = true;
    this.#closed = true;
    this.#pipe?.clientClosed();
    this.#body?.fail();
    this.#body = undefined;
    this.#host.owed -= this.#answers.size;
    this.#answers.clear();
    this.#out.clear();
    this.#held = undefined;
    this.#part = undefined;
    this.#account();
  }

  /** Nothing was sent or taken for as long as was set. */
  timedOut(): void {
    if (this.#pipe) this.#pipe.clientTimedOut();
    else if (this.#out.full) this.#socket.terminate();
    else if (this.#answers.size > 0 || this.#handingOver) this.#socket.timeout(IDLE_TIMEOUT_S);
    else this.#socket.end();
  }

  hurry(): void {
    if (this.#out.full) this.#socket.timeout(this.#host.held.stalledS);
  }

  /** The answer to one of its requests is there. */
  answered(request: DirectRequest): void {
    if (this.#flushing || !this.#answers.isFirst(request)) return;
    this.#flushing = true;
    this.#host.flushSoon(this);
  }

  /** Sends what is answered, all at once. */
  flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    const before = this.#answers.size;
    const data = this.#answers.take(this.#host.date(), this.#host.draining);
    this.#host.owed -= before - this.#answers.size;
    if (data.length > 0) this.#sent(this.#out.write(data));
  }

  /** @param all whether the kernel has all there is to send */
  #sent(all: boolean): void {
    this.#socket.timeout(all ? IDLE_TIMEOUT_S : this.#host.held.stalledS);
    if (!all) {
      // Nothing more is read of a client that does not read.
      this.#pause();
      this.#account();
      return;
    }
    this.#account();
    const owed = this.#answers.size;
    if (owed === 0 && this.#answers.ending) this.#socket.end();
    else if (owed === 0 && this.#handingOver) this.#openPipe();
    else if (this.#paused && !this.#handingOver && owed < MOST_OWED) this.#goOn();
    if (this.aborted) this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#answers.size === 0 && !this.#out.full && !this.#held && !this.#handingOver) this.#socket.end();
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  /** Reads on where it was paused. */
  #goOn(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#paused = false;
    if (held) this.#take(held);
    if (!this.#paused) this.#socket.resume();
    this.#account();
  }

  /** Tells how much lies here for a client that does not take its answers. */
  #account(): void {
    const before = this.#heldBytes;
    const now = (this.#held?.length ?? 0) + this.#out.bytes;
    if (now === before) return;
    this.#heldBytes = now;
    if (!this.#host.held.change(this, before, now)) this.#socket.terminate();
  }

  #take(bytes: Buffer): void {
    const part = this.#part;
    this.#part = undefined;
    if (!this.#body) {
      this.#read(part ? Buffer.concat([part, bytes]) : bytes);
      return;
    }
    const behind = this.#body.take(bytes);
    if (behind === undefined) return;
    this.#body = undefined;
    if (behind > 0) this.#read(bytes.subarray(bytes.length - behind));
  }

  /** Reads requests, the first of which begins with the first byte. */
  #read(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    let at = 0;
    while (at < text.length && !this.#answers.ending && !this.#answers.isLast) {
      if (this.#answers.size >= MOST_OWED || this.#out.full) {
        this.#held = Buffer.from(bytes.subarray(at));
        this.#pause();
        this.#account();
        return;
      }
      const head = this.#headAt(text, at, bytes);
      if (!head) {
        if (this.#mayGrow(text, at)) this.#keepPart(bytes.subarray(at));
        else this.#handOver(bytes.subarray(at));
        return;
      }
      const from = at + head.text.length;
      at = from + head.length;
      const job = head.route.begin(this.#owe(head));
      if (at <= text.length) job.take(text.slice(from, at));
      else this.#body = new OpenBody(job, bytes.toString('latin1', from), at - text.length);
    }
  }

  #headAt(text: string, at: number, bytes: Buffer): DirectHead<DirectRoute> | undefined {
    const { recent, limits } = this.#host;
    if (recent && text.startsWith(recent.text, at)) return recent;
    const end = text.indexOf(HEAD_END, at);
    if (end < 0 || end - at > limits.head) return undefined;
    // A text of its own: a part of `text` would keep all of it.
    const head = readDirectHead(bytes.toString('latin1', at, end + HEAD_END.length), limits);
    if (head) this.#host.recent = head;
    return head;
  }

  /** Whether it is a part of a head that may still be read here: of many requests at once, one is cut somewhere. */
  #mayGrow(text: string, at: number): boolean {
    if (this.#host.limits.head < text.length - at || text.includes(HEAD_END, at)) return false;
    return at > 0 || this.#wasRead;
  }

  #keepPart(bytes: Buffer): void {
    this.#part = Buffer.from(bytes);
    if (this.#answers.size === 0) this.#socket.timeout(SILENT_S);
  }

  #owe(head: DirectHead<DirectRoute>): DirectRequest {
    const request = new DirectRequest(this, head);
    this.#answers.add(request);
    this.#host.owed++;
    this.#wasRead = true;
    return request;
  }

  /** From these bytes on the connection is the other server's, once what is owed is sent. */
  #handOver(bytes: Buffer): void {
    this.#handingOver = true;
    this.#held = Buffer.from(bytes);
    this.#pause();
    if (this.#answers.size === 0 && !this.#out.full) this.#openPipe();
  }

  #openPipe(): void {
    this.#socket.timeout(0);
    const held = this.#held ?? Buffer.alloc(0);
    this.#held = undefined;
    this.#account();
    const pipe = new Pipe(this.#host, this.#socket, held, this.aborted);
    if (this.#closed) {
      pipe.clientClosed();
      return;
    }
    this.#pipe = pipe;
    this.#socket.resume();
    this.#host.connectInner(pipe, this.peer);
  }
}
