import type { Socket } from 'bun';
import { InlayError } from '../../error/index.ts';
import { type DirectHead, type DirectLimits, readDirectHead } from './direct-head.ts';
import { DirectRequest, type Peer } from './direct-request.ts';
import type { DirectJob, DirectRoute } from './direct-route.ts';
import { Pipe } from './pipe.ts';

/** What all connections of a front door share. */
export interface ConnectionHost {
  readonly limits: DirectLimits<DirectRoute>;
  /** Whether answers are the last on their connections. */
  readonly draining: boolean;
  /** The head that was read last: clients send the same one again and again, on one connection and on many. */
  recent: DirectHead<DirectRoute> | undefined;
  /** Requests that were read and whose answers are not on their way yet. */
  owed: number;
  readonly pipes: Set<Pipe>;
  /** A whole Date line. */
  date(): string;
  /** Calls `flush` of a connection in a moment, once what else is answered now is answered. */
  flushSoon(connection: Connection): void;
  /** Connects to the server behind the door. */
  connectInner(pipe: Pipe, peer: Peer): void;
  /** How long a connection may last that is opened now, milliseconds. */
  ageLimit(): number;
}

/** So many requests of one connection are read before the first of them is answered. */
const MOST_OWED = 256;
/** A connection that sends no whole head for so long is closed, s: as Bun's server has it. */
export const SILENT_S = 10;
/** As Bun's server has it: a connection that is silent behind an answer for so long is closed, s. */
const IDLE_TIMEOUT_S = 75;

const HEAD_END = '\r\n\r\n';

/** A body that is on its way. */
interface OpenBody {
  readonly job: DirectJob;
  /** What has come, one character a byte. */
  came: string;
  /** Bytes that are still to come. */
  missing: number;
}

/**
 * A connection of a client. As long as its requests are of the one plain shape they are answered here, in their order; at the first that
 * is not, all bytes from there on go to the server behind, and its bytes come back, and nobody here reads them any more.
 */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #socket: Socket<Connection | undefined>;
  readonly #since = performance.now();
  /** When it has lasted for long enough, milliseconds of performance.now(). */
  readonly endsAt: number;
  /** Nobody reads answers any more, as far as one can tell: the client has ended its side. */
  aborted = false;
  #closed = false;
  /** Requests whose answers are not sent, in the order in which they came. */
  #first: DirectRequest | undefined = undefined;
  #last: DirectRequest | undefined = undefined;
  #owed = 0;
  #flushing = false;
  /** An answer said that it is the last; what comes behind it is not read. */
  #ending = false;
  #body: OpenBody | undefined = undefined;
  /** A head that has not come as a whole. */
  #part: Buffer | undefined = undefined;
  /** A request was read here. */
  #wasRead = false;
  /** Bytes that the socket did not take yet. */
  #unsent: Buffer | undefined = undefined;
  /** Bytes that came and are not read yet, while the socket is paused. */
  #held: Buffer | undefined = undefined;
  #paused = false;
  #handingOver = false;
  #pipe: Pipe | undefined = undefined;

  constructor(host: ConnectionHost, socket: Socket<Connection | undefined>) {
    this.#host = host;
    this.#socket = socket;
    this.endsAt = this.#since + host.ageLimit();
  }

  get peer(): Peer {
    const { remoteAddress: address, remotePort: port } = this.#socket;
    return { address, port, since: this.#since };
  }

  /** Bytes came; they are the socket's again afterwards. */
  received(bytes: Buffer): void {
    if (this.#pipe) this.#pipe.fromClient(bytes);
    else if (this.#held) this.#held = Buffer.concat([this.#held, bytes]);
    else if (this.#paused || this.#handingOver) this.#held = Buffer.from(bytes);
    else if (this.#ending || (this.#last?.isLast && !this.#body)) return;
    else this.#take(bytes);
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.#pipe) this.#pipe.clientDrained();
    else if (this.#unsent) {
      const unsent = this.#unsent;
      this.#unsent = undefined;
      this.#send(unsent);
    }
  }

  /** The client sends no more. It may still read, but one that is gone looks alike: what it asked for is dropped if it has to wait. */
  ended(): void {
    this.aborted = true;
    if (this.#pipe) {
      this.#pipe.clientEnded();
      return;
    }
    this.#failBody();
    if (!this.#handingOver && this.#owed === 0 && !this.#unsent && !this.#held) this.#socket.end();
  }

  closed(): void {
    this.aborted = true;
    this.#closed = true;
    this.#pipe?.clientClosed();
    this.#failBody();
    this.#host.owed -= this.#owed;
    this.#owed = 0;
    this.#first = undefined;
    this.#last = undefined;
    this.#held = undefined;
    this.#unsent = undefined;
  }

  /** Nothing was sent or taken for IDLE_TIMEOUT_S. */
  timedOut(): void {
    if (this.#pipe) this.#pipe.clientTimedOut();
    else if (this.#unsent) this.#socket.terminate();
    else if (this.#owed > 0 || this.#handingOver) this.#socket.timeout(IDLE_TIMEOUT_S);
    else this.#socket.end();
  }

  /** The answer to one of its requests is there. */
  answered(request: DirectRequest): void {
    if (request !== this.#first || this.#flushing) return;
    this.#flushing = true;
    this.#host.flushSoon(this);
  }

  /** Sends what is answered, all at once. */
  flush(): void {
    this.#flushing = false;
    let text = '';
    let bytes = 0;
    let chunks: Buffer[] | undefined;
    for (let request = this.#first; request?.answer; request = this.#first) {
      const { answer, next } = request;
      const { body } = answer;
      const length = Buffer.byteLength(body);
      const last = (answer.last || request.isLast || this.#host.draining) && next === undefined;
      const head = answer.head(this.#host.date(), length, last);
      bytes += head.length + length;
      if (typeof body === 'string') text += head + body;
      else {
        chunks ??= [];
        chunks.push(Buffer.from(text + head), body);
        text = '';
      }
      if (last) this.#ending = true;
      this.#first = next;
      this.#owed--;
      this.#host.owed--;
    }
    if (this.#first === undefined) this.#last = undefined;
    if (this.#closed || bytes === 0) return;
    if (this.#unsent || chunks) {
      const rest = Buffer.concat([...(chunks ?? []), Buffer.from(text)]);
      if (this.#unsent) this.#unsent = Buffer.concat([this.#unsent, rest]);
      else this.#send(rest);
      return;
    }
    const sent = this.#socket.write(text);
    if (sent === bytes) this.#sentAll();
    else if (sent >= 0) this.#keepUnsent(Buffer.from(text).subarray(sent));
  }

  #send(bytes: Buffer): void {
    const sent = this.#socket.write(bytes);
    if (sent === bytes.length) this.#sentAll();
    else if (sent >= 0) this.#keepUnsent(bytes.subarray(sent));
  }

  /** Nothing more is read of a client that does not read. */
  #keepUnsent(bytes: Buffer): void {
    this.#unsent = bytes;
    this.#pause();
    this.#socket.timeout(IDLE_TIMEOUT_S);
  }

  #sentAll(): void {
    this.#socket.timeout(IDLE_TIMEOUT_S);
    if (this.#owed === 0) {
      if (this.#ending) {
        this.#socket.end();
        return;
      }
      if (this.#handingOver) {
        this.#openPipe();
        return;
      }
    }
    if (this.#paused && !this.#handingOver && this.#owed < MOST_OWED) this.#goOn();
    if (this.aborted && this.#owed === 0 && !this.#held && !this.#pipe) this.#socket.end();
  }

  /** Reads on where it was paused. */
  #goOn(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#paused = false;
    if (held) this.#take(held);
    if (!this.#paused && !this.#handingOver) this.#socket.resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  #take(bytes: Buffer): void {
    const part = this.#part;
    this.#part = undefined;
    if (this.#body) this.#continueBody(this.#body, bytes);
    else this.#read(part ? Buffer.concat([part, bytes]) : bytes);
  }

  /** Reads requests, the first of which begins with the first byte. */
  #read(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    let at = 0;
    while (at < text.length && !this.#ending && !this.#last?.isLast) {
      if (this.#owed >= MOST_OWED || this.#unsent) {
        this.#held = Buffer.from(bytes.subarray(at));
        this.#pause();
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
      else {
        this.#body = { job, came: text.slice(from), missing: at - text.length };
        job.await();
      }
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
    if (this.#owed === 0) this.#socket.timeout(SILENT_S);
  }

  #owe(head: DirectHead<DirectRoute>): DirectRequest {
    const request = new DirectRequest(this, head);
    if (this.#last) this.#last.next = request;
    else this.#first = request;
    this.#last = request;
    this.#owed++;
    this.#host.owed++;
    this.#wasRead = true;
    return request;
  }

  #continueBody(body: OpenBody, bytes: Buffer): void {
    // Of one that was refused nothing is kept.
    body.came = body.job.arrived ? '' : body.came + bytes.toString('latin1', 0, body.missing);
    if (bytes.length < body.missing) {
      body.missing -= bytes.length;
      return;
    }
    this.#body = undefined;
    if (!body.job.arrived) body.job.take(body.came);
    if (bytes.length > body.missing) this.#read(bytes.subarray(body.missing));
  }

  #failBody(): void {
    const job = this.#body?.job;
    this.#body = undefined;
    if (!job || job.arrived) return;
    job.arrived = true;
    job.fail(new InlayError('CLIENT_GONE', 'the client went away before its whole body had come'));
  }

  /** From these bytes on the connection is the other server's, once what is owed is sent. */
  #handOver(bytes: Buffer): void {
    this.#handingOver = true;
    this.#held = Buffer.from(bytes);
    this.#pause();
    if (this.#owed === 0 && !this.#unsent) this.#openPipe();
  }

  #openPipe(): void {
    this.#socket.timeout(0);
    this.#pipe = new Pipe(this.#host, this.#socket, this.#held ?? Buffer.alloc(0), this.aborted);
    this.#held = undefined;
    this.#socket.resume();
    this.#host.connectInner(this.#pipe, this.peer);
  }
}
