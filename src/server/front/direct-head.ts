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

/** RFC 9110, 5.6.2 and 5.5: what names and values may be made of here; values are printable US-ASCII and tabs. */
const TOKEN = table(/[!#$%&'*+.^_`|~0-9A-Za-z-]/);
const VALUE = table(/[\t\x20-\x7e]/);
const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const COLON = 58;

const HOST = /^(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/;
/** Digits without sign or leading zeros, few enough to be a number. */
const LENGTH = /^(?:0|[1-9][0-9]{0,9})$/;
const CONNECTION = new Set(['keep-alive', 'close']);
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
  const fields = readFields(text, first + 2);
  if (!fields) return undefined;
  const length = lengthOf(fields, route.method, limits.body);
  const connection = fields.get('connection')?.toLowerCase() ?? 'keep-alive';
  if (length === undefined || !CONNECTION.has(connection)) return undefined;
  return { text, route, length, fields, last: connection === 'close' };
}

/** The lines of a head, by their names in small letters; undefined where one is not a token, a colon right behind it, a value and CRLF. */
function readFields(text: string, from: number): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  const last = text.length - 2;
  let at = from;
  while (at < last) {
    const name = at;
    while (TOKEN[text.charCodeAt(at)]) at++;
    if (at === name || text.charCodeAt(at) !== COLON) return undefined;
    const key = text.slice(name, at++).toLowerCase();
    while (isBlank(text.charCodeAt(at))) at++;
    const value = at;
    while (VALUE[text.charCodeAt(at)]) at++;
    if (text.charCodeAt(at) !== RETURN || text.charCodeAt(at + 1) !== LINE_FEED) return undefined;
    let end = at;
    while (end > value && isBlank(text.charCodeAt(end - 1))) end--;
    if (UNUSUAL.has(key) || fields.has(key)) return undefined;
    fields.set(key, text.slice(value, end));
    at += 2;
  }
  return at === last && fields.size <= MOST_FIELDS ? fields : undefined;
}

function isBlank(char: number): boolean {
  return char === SPACE || char === TAB;
}

/** Bytes of the body; undefined where that, or anything else that counts, is not plain. */
function lengthOf(fields: ReadonlyMap<string, string>, method: Asked['method'], most: number): number | undefined {
  // An id that is there and empty is given back by no two servers alike.
  if (!HOST.test(fields.get('host') ?? '') || fields.get('x-request-id') === '') return undefined;
  const given = fields.get('content-length');
  if (method === 'GET') return given === undefined ? 0 : undefined;
  return given !== undefined && LENGTH.test(given) && Number(given) <= most ? Number(given) : undefined;
}

/** By code: 1 for the characters of a class. */
function table(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (characters.test(String.fromCharCode(code)) ? 1 : 0));
}
