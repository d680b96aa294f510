import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type DirectHead, readDirectHead, requestLine } from '../../../src/server/front/direct-head.ts';
import { RawClient } from './raw-client.ts';

// Whatever is read directly, an HTTP server reads alike: what the two would see differently could smuggle a request past one of them.

const POST = { method: 'POST', path: '/predict' } as const;
const GET = { method: 'GET', path: '/health' } as const;
const LIMITS = {
  lines: new Map([POST, GET].map((route) => [requestLine(route.method, route.path), route])),
  body: 65_536,
  head: 8192,
};
const read = (text: string): DirectHead<typeof POST | typeof GET> | undefined => readDirectHead(text, LIMITS);

/** What Bun's own server understands of a request. */
let oracle: ReturnType<typeof Bun.serve>;
beforeAll(() => {
  oracle = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    fetch: async (request) =>
      Response.json({
        method: request.method,
        path: new URL(request.url).pathname,
        body: await request.text(),
        headers: Object.fromEntries(request.headers),
      }),
  });
});
afterAll(() => oracle.stop(true));

/** A generator that gives the same numbers every time (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const LINES = [
  'Host: x',
  'Host: [::1]:8000',
  'host: models.example.com:80',
  'Content-Type: application/json',
  'Content-Length: 2',
  'Content-Length: 2',
  'content-length:2',
  'CONTENT-LENGTH: \t2 ',
  'Content-Length: 02',
  'Content-Length: +2',
  'Content-Length: 0x2',
  'Content-Length: 2, 2',
  'Content-Length: 2 2',
  'Content-Length: -2',
  'Content-Length:',
  'Content-Length: 2e0',
  'Content-Length : 2',
  ' Content-Length: 2',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'transfer-encoding: identity',
  'X-Request-Id: abc',
  'x-request-id:  a b  ',
  'X-Request-Id: ',
  'X-Request-Id: é',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'Connection: keep-alive',
  'Connection: Keep-Alive',
  'Connection: close',
  'Connection: upgrade',
  'Connection: close, content-length',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Accept: */*',
  'Accept-Encoding: gzip, deflate, br',
  'Content-Encoding: gzip',
  'User-Agent: python-requests/2.32',
  'A: b\n c',
  'A: b\r\n c',
  'A: b\rC: d',
  'A: b\nTransfer-Encoding: chunked',
  'A\0: b',
  'A: b\0c',
  'A b: c',
  ': c',
  'nocolon',
  '',
];
const STARTS = [
  'POST /predict HTTP/1.1',
  'POST /predict HTTP/1.1',
  'POST /predict HTTP/1.1',
  'GET /health HTTP/1.1',
  'POST /predict HTTP/1.0',
  'POST  /predict HTTP/1.1',
  'POST /predict?x HTTP/1.1',
  'post /predict HTTP/1.1',
  'POST http://x/predict HTTP/1.1',
  'POST /predict HTTP/1.1 ',
  ' POST /predict HTTP/1.1',
];
const BYTES = ['\0', '\t', '\n', '\r', '\r\n', ' ', ':', ',', ';', '+', '0', '2', 'A', 'é', '\x7f', '\x0b', '"'];

/** Heads that are often right, and often nearly so. */
function* heads(count: number, seed: number): Generator<string> {
  const below = seeded(seed);
  const one = <T>(list: readonly T[]) => list[below(list.length)] as T;
  for (let i = 0; i < count; i++) {
    const lines = below(2) === 0 ? ['Host: x', 'Content-Length: 2'] : [];
    for (let more = below(4); more > 0; more--) lines.splice(below(lines.length + 1), 0, one(LINES));
    let text = `${one(STARTS)}\r\n${lines.map((line) => `${line}\r\n`).join('')}`;
    for (let changes = below(6) - 3; changes > 0; changes--) {
      const at = below(text.length + 1);
      text = text.slice(0, at) + one(BYTES) + text.slice(at + below(2));
    }
    yield `${text}\r\n`;
  }
}

test('the plain shape is read', () => {
  const head = read('POST /predict HTTP/1.1\r\nhOST: x\r\nContent-Length: 12\r\nX-Request-Id: \t a b \r\n\r\n');
  expect([head?.route, head?.length, head?.last]).toEqual([POST, 12, false]);
  expect([...(head?.fields ?? [])]).toEqual([
    ['host', 'x'],
    ['content-length', '12'],
    ['x-request-id', 'a b'],
  ]);
  expect(read('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatchObject({
    route: GET,
    length: 0,
    last: true,
  });
});

const line = (field: string) => `POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n${field}\r\n\r\n`;
const framed = (field: string) => `POST /predict HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`;
test.each([
  ['two lengths', line('Content-Length: 5')],
  ['two lengths that differ', line('Content-Length: 6')],
  ['a length and chunks', line('Transfer-Encoding: chunked')],
  ['a length and chunks with a space before the colon', line('Transfer-Encoding : chunked')],
  ['chunks alone', framed('Transfer-Encoding: chunked')],
  ['no length', framed('A: b')],
  ['a length with a sign', framed('Content-Length: +5')],
  ['a negative length', framed('Content-Length: -5')],
  ['a hexadecimal length', framed('Content-Length: 0x5')],
  ['a length with a leading zero', framed('Content-Length: 05')],
  ['an exponent', framed('Content-Length: 5e0')],
  ['a list of lengths', framed('Content-Length: 5, 5')],
  ['an empty length', framed('Content-Length: ')],
  ['a length beyond what is read directly', framed('Content-Length: 65537')],
  ['a length beyond all numbers', framed('Content-Length: 18446744073709551621')],
  ['a length with a vertical tab', framed('Content-Length: \x0b5')],
  ['a length with a no-break space', framed('Content-Length: \xa05')],
  ['a folded line', line('A: b\r\n c')],
  ['a line that begins with a space', line(' A: b')],
  ['a bare line feed in a value', line('A: b\nContent-Length: 6')],
  ['a bare carriage return in a value', line('A: b\rC: d')],
  ['a NUL', line('A: b\0')],
  ['a byte beyond US-ASCII', line('A: \xe9')],
  ['a space before the colon', line('A : b')],
  ['no colon', line('A')],
  ['no name', line(': b')],
  ['a body that is compressed', line('Content-Encoding: gzip')],
  ['a client that waits for 100', line('Expect: 100-continue')],
  ['an upgrade', line('Upgrade: h2c')],
  ['a connection that says more', line('Connection: close, te')],
  ['trailers', line('TE: trailers')],
  ['two hosts', line('Host: y')],
  ['no host', 'POST /predict HTTP/1.1\r\nContent-Length: 5\r\n\r\n'],
  ['an empty host', 'POST /predict HTTP/1.1\r\nHost: \r\nContent-Length: 5\r\n\r\n'],
  ['two ids', line('X-Request-Id: a\r\nX-Request-Id: b')],
  ['an empty id', line('X-Request-Id: ')],
  ['another route', line('A: b').replace('/predict', '/predict/')],
  ['a query', line('A: b').replace('/predict', '/predict?a')],
  ['another method', line('A: b').replace('POST', 'PUT')],
  ['HTTP/1.0', line('A: b').replace('1.1', '1.0')],
  ['a GET with a body', line('A: b').replace('POST /predict', 'GET /health')],
  ['a line end that is none', line('A: b').replace('HTTP/1.1\r\n', 'HTTP/1.1\n')],
  ['a head that is long', line(`A: ${'b'.repeat(9000)}`)],
  ['many lines', line(Array.from({ length: 70 }, (_, i) => `A${i}: b`).join('\r\n'))],
])('left to an HTTP server: %s', (_, text) => {
  expect(read(text)).toBeUndefined();
});

test('what is read directly, Bun’s server reads alike, to the last byte of the body', async () => {
  const client = { current: await RawClient.open(oracle.port as number) };
  let accepted = 0;
  for (const text of heads(40_000, 7)) {
    const head = read(text);
    // Enough of them to be sure, few enough to be quick.
    if (!head || ++accepted > 1500) continue;
    expect([text, head.text]).toEqual([text, text]);
    const body = 'é?'.repeat(65_536).slice(0, head.length);
    client.current.send(`${text}${body}`);
    const answer = await client.current.answer();
    expect([text, answer?.status]).toEqual([text, 200]);
    const seen = JSON.parse(Buffer.from(answer?.body ?? '', 'latin1').toString()) as {
      readonly method: string;
      readonly path: string;
      readonly body: string;
      readonly headers: Record<string, string>;
    };
    expect([seen.method, seen.path]).toEqual([head.route.method, head.route.path]);
    expect(seen.body).toBe(new TextDecoder().decode(Buffer.from(body, 'latin1')));
    expect([text, seen.headers]).toEqual([text, Object.fromEntries(head.fields)]);
    // A server that ends the connection, or that took another length, would not answer here.
    if (head.last) {
      expect(await client.current.answer()).toBeUndefined();
      client.current.close();
      client.current = await RawClient.open(oracle.port as number);
    }
  }
  client.current.close();
  expect(accepted).toBeGreaterThan(1000);
}, 60_000);

test('no bytes make it throw', () => {
  const below = seeded(11);
  for (let i = 0; i < 100_000; i++) {
    const length = below(80);
    let text = below(2) === 0 ? 'POST /predict HTTP/1.1\r\n' : '';
    for (let j = 0; j < length; j++) text += String.fromCharCode(below(256));
    read(`${text}\r\n\r\n`);
    read(text);
  }
});

test('a long value takes no longer than its length', () => {
  // A pattern that tries again at each space would take minutes.
  const spaces = `A:${' '.repeat(8000)}\n`;
  for (let i = 0; i < 1000; i++) expect(read(line(spaces))).toBeUndefined();
});
