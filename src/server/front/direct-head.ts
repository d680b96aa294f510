/** The head of a request that is answered directly: all that HTTP says about it was understood. */
export interface DirectHead<R extends Asked> {
  /** Its bytes, one character each, the empty line included. */
  readonly text: string;
  readonly route: R;
  /** Bytes of the body. */
  readonly length: number;
  /** By name, in small letters. */
  readonly fields: ReadonlyMap<string, string>;
  /** Its connection is to be closed behind the answer. */
  readonly last: boolean;
}

/** What is known of a route. */
export interface Asked {
  readonly method: 'GET' | 'POST';
}

export interface DirectLimits<R extends Asked> {
  /** What may be asked, by the request line. */
  readonly lines: ReadonlyMap<string, R>;
  /** Of a body, bytes. */
  readonly body: number;
  /** Of a head, bytes. */
  readonly head: number;
}

/** `POST /predict HTTP/1.1`, without the line's end. */
export function requestLine(method: Asked['method'], path: string): string {
  return `${method} ${path} HTTP/1.1`;
}

const MOST_FIELDS = 64;

/** RFC 9112, 5: a token, a colon right behind it, printable US-ASCII and tabs, CRLF. No folded lines, no bare CR or LF. */
const FIELD = /([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e]*)\r\n/y;
const HOST = /^(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/;
/** Digits without sign or leading zeros, few enough to be a number. */
const CONNECTION = new Set(['keep-alive', 'close']);
const LENGTH = /^(?:0|[1-9][0-9]{0,9})$/;
/** Where these stand, a request's framing, its body or its connection are not the plain ones. */
const UNUSUAL = new Set([
  'content-encoding',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads a head if it is of the one shape that may be answered directly: a known request line, Host, one Content-Length, and other
 * fields that change nothing about how the request is read; none of them twice. Whatever else HTTP allows, or does not, is
 * undefined here: that is for an HTTP server to judge.
 * @param text a head with the empty line at its end, and none before; one character a byte
 */
export function readDirectHead<R extends Asked>(text: string, limits: DirectLimits<R>): DirectHead<R> | undefined {
  const first = text.indexOf('\r\n');
  const route = limits.lines.get(text.slice(0, first));
  if (route === undefined || text.length > limits.head) return undefined;
  const fields = new Map<string, string>();
  const last = text.length - 2;
  let at = first + 2;
  while (at < last) {
    FIELD.lastIndex = at;
    const field = FIELD.exec(text);
    if (!field) return undefined;
    const name = (field[1] as string).toLowerCase();
    if (fields.has(name) || UNUSUAL.has(name)) return undefined;
    fields.set(name, trimmed(field[2] as string));
    at = FIELD.lastIndex;
  }
  if (at !== last || fields.size > MOST_FIELDS) return undefined;
  const length = lengthOf(fields, route.method, limits.body);
  const connection = fields.get('connection')?.toLowerCase() ?? 'keep-alive';
  if (length === undefined || !CONNECTION.has(connection)) return undefined;
  return { text, route, length, fields, last: connection === 'close' };
}

/** Bytes of the body; undefined where that, or anything else that counts, is not plain. */
function lengthOf(fields: ReadonlyMap<string, string>, method: Asked['method'], most: number): number | undefined {
  // An id that is there and empty is given back by no two servers alike.
  if (!HOST.test(fields.get('host') ?? '') || fields.get('x-request-id') === '') return undefined;
  const given = fields.get('content-length');
  if (method === 'GET') return given === undefined ? 0 : undefined;
  return given !== undefined && LENGTH.test(given) && Number(given) <= most ? Number(given) : undefined;
}

/** Without the optional white space around a field's value. String.trim takes more than that, but no more of what may stand here. */
function trimmed(value: string): string {
  return value.trim();
}
