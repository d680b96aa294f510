import type { Connection } from './connection.ts';
import type { DirectHead } from './direct-head.ts';
import type { DirectRoute } from './direct-route.ts';

/** Where a request comes from. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** When its connection was opened, milliseconds of performance.now(), where that is known. */
  readonly since?: number;
}

/** A request that the front door read: what handlers ask of a Request, as far as plain requests go. */
export class DirectRequest {
  /** The next one on its connection. */
  next: DirectRequest | undefined = undefined;
  answer: DirectAnswer | undefined = undefined;
  readonly #connection: Connection;
  readonly #head: DirectHead<DirectRoute>;

  constructor(connection: Connection, head: DirectHead<DirectRoute>) {
    this.#connection = connection;
    this.#head = head;
  }

  get method(): string {
    return this.#head.route.method;
  }

  get headers(): { get(name: string): string | null } {
    return this;
  }

  /** Whether its client wants the answer to be the last on its connection. */
  get isLast(): boolean {
    return this.#head.last;
  }

  /** A header, by its name in small letters. */
  get(name: string): string | null {
    return this.#head.fields.get(name) ?? null;
  }

  get signal(): { readonly aborted: boolean } {
    return this.#connection;
  }

  get peer(): Peer {
    return this.#connection.peer;
  }

  /** @param now milliseconds of performance.now() @returns whether its connection has lasted for long enough */
  isLate(now: number): boolean {
    return this.#connection.endsAt <= now;
  }

  /** Each request is answered once. */
  reply(answer: DirectAnswer): void {
    this.answer = answer;
    this.#connection.answered(this);
  }
}

/** The reasons that Bun's server gives, for what routes answer. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** An answer to a DirectRequest, in the form that Bun's server gives to a Response. */
export class DirectAnswer {
  readonly status: number;
  readonly body: string | Buffer;
  /** Whether its connection ends behind it. */
  last = false;
  /** Status line and type. */
  readonly #first: string;
  #more: string;

  /** @param type of the body @param more header lines */
  constructor(status: number, type: string, body: string | Buffer, more = '') {
    this.status = status;
    this.body = body;
    this.#first = firstLines(status, type);
    this.#more = more;
  }

  get headers(): DirectAnswer {
    return this;
  }

  /** Each header is set once. @param name in small letters @param value printable US-ASCII */
  set(name: string, value: string): void {
    if (name === 'connection') this.last = value === 'close';
    else this.#more += `${name}: ${value}\r\n`;
  }

  get(name: string): string | null {
    const line = this.#more.split('\r\n').find((one) => one.startsWith(`${name}: `));
    return line === undefined ? null : line.slice(name.length + 2);
  }

  /** US-ASCII. @param date a whole Date line @param bytes of the body @param last whether the connection ends behind it */
  head(date: string, bytes: number, last: boolean): string {
    const close = last ? 'Connection: close\r\n' : '';
    return `${this.#first}${close}${this.#more}${date}Content-Length: ${bytes}\r\n\r\n`;
  }
}

const FIRST_LINES = new Map<string, string>();

function firstLines(status: number, type: string): string {
  // Nearly all answers are of this kind.
  const key = status === 200 ? type : `${status} ${type}`;
  let lines = FIRST_LINES.get(key);
  if (lines === undefined) {
    lines = `HTTP/1.1 ${status} ${REASONS[status] ?? 'HM'}\r\nContent-Type: ${type}\r\n`;
    FIRST_LINES.set(key, lines);
  }
  return lines;
}
