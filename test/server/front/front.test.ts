import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { ModelServer } from '../../../src/server/index.ts';
import { FLOAT, initializer, model, node, value } from '../../onnx-builder.ts';
import { serveModel } from '../oip/every-type.ts';
import { SETOSA, serveReference } from '../serving.ts';
import { BODY, predict, RawClient } from './raw-client.ts';

// The front door and the server behind it are one server to a client, whichever of them answers.

let on: Awaited<ReturnType<typeof serveReference>>;
let off: Awaited<ReturnType<typeof serveReference>>;
beforeAll(async () => {
  // Patient, so that a busy machine is no reason to refuse.
  const settings = { maxBodyBytes: 3_000_000, bodyTimeoutMs: 400, maxQueueMs: 3_600_000, maxQueueRows: 1_000_000 };
  on = await serveReference({ ...settings, directRequests: true });
  off = await serveReference({ ...settings, directRequests: false });
});
afterAll(async () => {
  for (const { server, engine } of [on, off]) {
    await server.close();
    await engine.close();
  }
});

const GOOD = JSON.stringify({ prediction: SETOSA });
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
/** Parts of an answer that differ from one time to the next. */
const lasting = (text: string) =>
  text.replace(/Date: [^\r]*/g, 'Date').replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id');

async function said(server: ModelServer, text: string): Promise<string> {
  const client = await RawClient.open(server.port);
  client.send(text);
  const answer = await client.answer();
  const all = answer ? `${answer.head}\r\n\r\n${answer.body}` : await client.rest();
  client.close();
  return lasting(all);
}

const chunked = (body: string) =>
  `POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const infer = (rows: number, more = '') =>
  predict(
    JSON.stringify({
      id: 'ä',
      inputs: [{ name: 'float_input', datatype: 'FP32', shape: [rows, 4], data: new Array(rows * 4).fill(1.5) }],
    }),
    more,
    '/v2/models/iris/infer',
  );
const binary = (() => {
  const json = JSON.stringify({
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
    parameters: { binary_data_output: true },
  });
  const tensor = Buffer.from(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer).toString('latin1');
  return `POST /v2/models/iris/infer HTTP/1.1\r\nHost: x\r\nInference-Header-Content-Length: ${json.length}\r\nContent-Length: ${json.length + 16}\r\n\r\n${json}${tensor}`;
})();

test.each([
  ['a prediction', predict()],
  ['with an id', predict(BODY, 'X-Request-Id: "a b"\r\n')],
  ['with a long id', predict(BODY, `X-Request-Id: ${'a'.repeat(300)}\r\n`)],
  ['several rows', predict('{"data":[[5.1,3.5,1.4,0.2],[6.5,3,5.2,2]]}')],
  ['records', predict('{"records":[{"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}]}')],
  ['white space', predict(' {"data" : [[5.1, 3.5, 1.4, 0.2]]}\n')],
  ['a byte order mark', predict(`\ufeff${BODY}`)],
  ['text beside it', predict('{"note":"größer","data":[[5.1,3.5,1.4,0.2]]}')],
  ['the sample', predict('{}')],
  ['an empty body', predict('')],
  ['a body that is no JSON', predict('{"data":[[1,2,')],
  ['a body with what it should not have', predict('{"data":[[1,2,3]]}')],
  ['a key that echoes', predict('{"größe":1}')],
  ['a body that is no UTF-8', `${predict('{"data":[["    "]]}').replace('    ', '\xff\xfe\x80\xc3')}`],
  ['a label', predict(BODY, '', '/predict/label')],
  ['the protocol', infer(1)],
  ['the protocol with many rows', infer(50)],
  ['the protocol in binary', binary],
  ['the protocol, wrong', predict('{"inputs":[]}', '', '/v2/models/iris/infer')],
  ['the protocol, another model', predict('{"inputs":[]}', '', '/v2/models/other/infer')],
  ['health', get('/health')],
  ['ready', get('/health/ready', 'Accept: */*\r\n')],
  ['the protocol is ready', get('/v2/health/ready')],
  ['a label list', get('/label')],
  ['a sample', get('/predict/test')],
  ['HEAD', 'HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['nothing there', get('/nowhere')],
  ['a wrong method', get('/predict')],
  ['a query', get('/health?a=b')],
  ['chunks', chunked(BODY)],
  ['HTTP/1.0', `POST /predict HTTP/1.0\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`],
  ['the same length twice', predict(BODY, `Content-Length: ${BODY.length}\r\n`)],
  ['lengths that differ', predict(BODY, 'Content-Length: 3\r\n')],
  ['a length and chunks', predict(BODY, 'Transfer-Encoding: chunked\r\n')],
  ['a length with a sign', predict(BODY).replace('Length: ', 'Length: +')],
  ['no host', predict(BODY).replace('Host: x\r\n', '')],
  ['a folded line', predict(BODY, 'A: b\r\n c\r\n')],
  ['a bare line feed', predict(BODY, 'A: b\nC: d\r\n')],
  ['a space before a colon', predict(BODY, 'A : b\r\n')],
  ['an empty line first', `\r\n${predict()}`],
  ['no HTTP', 'hello\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(60, 'x')],
  ['two ids', predict(BODY, 'X-Request-Id: a\r\nX-Request-Id: b\r\n')],
  ['a body that is too large', predict(`${BODY}${' '.repeat(3_000_000)}`)],
  ['a body that is large', predict(`${BODY}${' '.repeat(2_000_000)}`)],
  ['a body in several pieces', predict(`${BODY}${' '.repeat(900_000)}`)],
  ['a body that is nearly too large to be read directly', predict(`${BODY}${' '.repeat(65_000)}`)],
  ['a head that is too large', get('/health', `A: ${'a'.repeat(20_000)}\r\n`)],
])('answers are the same, byte for byte, whoever reads: %s', async (_, text) => {
  expect(await said(on.server, text)).toBe(await said(off.server, text));
});

test('an expectation is met first', async () => {
  const client = await RawClient.open(on.server.port);
  client.send(predict(BODY, 'Expect: 100-continue\r\n'));
  expect([(await client.answer())?.status, (await client.answer())?.body]).toEqual([100, GOOD]);
  client.close();
});

test('a request in two pieces, cut anywhere', async () => {
  const client = await RawClient.open(on.server.port);
  const text = predict(BODY, 'X-Request-Id: cut\r\n');
  for (let at = 1; at < text.length; at++) {
    // What is cut within its head goes to the other server, and so does all that comes behind it.
    const one = at < text.indexOf('\r\n\r\n') + 4 ? await RawClient.open(on.server.port) : client;
    one.send(text.slice(0, at));
    await Bun.sleep(1);
    one.send(text.slice(at));
    const answer = await one.answer();
    expect([at, answer?.status, answer?.headers['x-request-id'], answer?.body]).toEqual([at, 200, 'cut', GOOD]);
    if (one !== client) one.close();
  }
  client.close();
});

test('byte by byte', async () => {
  const client = await RawClient.open(on.server.port);
  for (const char of predict()) {
    client.send(char);
    await Bun.sleep(1);
  }
  expect((await client.answer())?.body).toBe(GOOD);
  client.close();
});

test('many requests at once are answered in their order, good ones and bad ones', async () => {
  const client = await RawClient.open(on.server.port);
  const bodies = [BODY, '{', '{"records":[]}', '{}', '{"data":[[5.1,3.5,1.4,0.2]], "x": 1}', '{"inputs":1}'];
  const count = 2_000;
  let text = '';
  for (let i = 0; i < count; i++) text += predict(bodies[i % bodies.length], `X-Request-Id: ${i}\r\n`);
  client.send(text);
  const statuses = [200, 400, 400, 200, 200, 400];
  for (let i = 0; i < count; i++) {
    const answer = await client.answer();
    expect([i, answer?.headers['x-request-id'], answer?.status]).toEqual([i, String(i), statuses[i % 6] as number]);
  }
  client.close();
});

test('requests of all routes at once, handed over at the end', async () => {
  const client = await RawClient.open(on.server.port);
  client.send(predict() + get('/health') + infer(2) + get('/metrics') + predict('no') + predict() + get('/label'));
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await client.answer())?.status);
  expect(statuses).toEqual([200, 200, 200, 200, 400, 200, 200]);
  // From there on it is the other server's connection.
  client.send(predict());
  expect((await client.answer())?.body).toBe(GOOD);
  client.send(get('/health'));
  expect((await client.answer())?.body).toBe('{"health":"ok"}');
  client.close();
});

/** Answers that are longer than their requests: 50 rows. */
const ROWS = JSON.stringify({ data: new Array(50).fill([5.1, 3.5, 1.4, 0.2]) });
const ANSWERED_ROWS = JSON.stringify({ prediction: new Array(50).fill(SETOSA) });

test('a client that does not read is not read either, and misses nothing once it reads', async () => {
  const client = await RawClient.open(on.server.port);
  client.socket.pause();
  // Far more than the kernel keeps for the two.
  const count = 8_000;
  for (let i = 0; i < count; i++) client.send(predict(ROWS, `X-Request-Id: ${i}\r\n`));
  await Bun.sleep(300);
  client.socket.resume();
  let right = 0;
  for (let i = 0; i < count; i++) {
    const answer = await client.answer();
    if (answer?.headers['x-request-id'] === String(i) && answer.body === ANSWERED_ROWS) right++;
  }
  expect(right).toBe(count);
  client.close();
}, 60_000);

test('what lies here for clients that do not read is bounded, all of them together', async () => {
  const { server, engine, url } = await serveReference({
    directRequests: true,
    maxBodiesBytes: 1_000_000,
    maxQueueRows: 1_000_000,
    maxQueueMs: 3_600_000,
  });
  const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(server.port)));
  for (const client of clients) {
    client.socket.pause();
    client.send(predict(ROWS).repeat(8_000));
  }
  const cut = async () =>
    Number(/^inlay_connections_cut_total (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  while ((await cut()) === 0) await Bun.sleep(20);
  expect((await fetch(`${url}/predict`, { method: 'POST', body: BODY })).status).toBe(200);
  for (const client of clients) client.close();
  await server.close();
  await engine.close();
}, 60_000);

/** Rows of two values that are answered with a hundred each: 18 MB, more than the kernel keeps, by the server behind. */
const WIDE = model([
  value(11, 'x', FLOAT, [-1, 2]),
  value(12, 'y', FLOAT, [-1, 100]),
  initializer(
    'w',
    [2, 100],
    Array.from({ length: 200 }, (_, i) => i / 777),
  ),
  node('MatMul', ['x', 'w'], ['y']),
]);
const WIDE_ROWS = predict(`{"data":[${new Array(10_000).fill('[ 1 , 2 ]').join(',')}]}`);

test('so is what the server behind answers to them', async () => {
  const { server, url, close } = await serveModel(WIDE, {
    maxBodiesBytes: 8_000_000,
    maxQueueRows: 1_000_000,
    maxQueueMs: 3_600_000,
  });
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.open(server.port)));
  for (const client of clients) {
    client.socket.pause();
    client.send(WIDE_ROWS);
  }
  const cut = async () =>
    Number(/^inlay_connections_cut_total (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  while ((await cut()) === 0) await Bun.sleep(20);
  expect((await fetch(`${url}/predict`, { method: 'POST', body: '{"data":[[1,2]]}' })).status).toBe(200);
  for (const client of clients) client.close();
  await close();
}, 60_000);

test('an answer that is larger than all that may lie here comes whole to a client that reads late, and so does the next', async () => {
  const { server, close } = await serveModel(WIDE, { maxBodiesBytes: 1_000_000 });
  const client = await RawClient.open(server.port);
  for (let round = 0; round < 2; round++) {
    client.socket.pause();
    client.send(WIDE_ROWS);
    await Bun.sleep(500);
    client.socket.resume();
    const { prediction } = JSON.parse((await client.answer())?.body ?? '') as { prediction: number[][] };
    expect([prediction.length, prediction.at(-1)?.length]).toEqual([10_000, 100]);
    expect(prediction.at(-1)).toEqual(prediction[0] as number[]);
  }
  client.close();
  await close();
}, 60_000);

test('clients that never read do not keep a server from its end; one that reads late does, until it has its answer', async () => {
  const { server, url, close } = await serveModel(WIDE, { drainMs: 0, maxQueueRows: 1_000_000, maxQueueMs: 3_600_000 });
  const [late, deaf, deafToo] = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port)));
  for (const client of [late, deaf, deafToo]) client?.socket.pause();
  for (const client of [late, deaf]) client?.send(WIDE_ROWS);
  deafToo?.send(predict(`{"data":[${new Array(1000).fill('[1,2]').join(',')}]}`).repeat(20));
  const answered = async () =>
    Number(/route="\/predict",code="200"\} (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);
  while ((await answered()) < 22) await Bun.sleep(20);
  const stopped = server.drain();
  await Bun.sleep(50);
  late?.socket.resume();
  expect(JSON.parse((await late?.answer())?.body ?? '').prediction.length).toBe(10_000);
  await stopped;
  for (const client of [late, deaf, deafToo]) client?.close();
  await close();
}, 60_000);

test('a large answer of the server behind, to a client that reads late', async () => {
  const client = await RawClient.open(on.server.port);
  client.socket.pause();
  client.send(get('/docs/swagger-ui-bundle.js'));
  await Bun.sleep(200);
  client.socket.resume();
  const answer = await client.answer();
  const whole = await (await fetch(`${off.url}/docs/swagger-ui-bundle.js`)).bytes();
  expect(whole.length).toBeGreaterThan(1_000_000);
  expect(Buffer.from(answer?.body ?? '', 'latin1').equals(Buffer.from(whole))).toBe(true);
  client.close();
});

test('Connection: close, and a client that ends its side: answered, then closed', async () => {
  for (const path of ['/predict', '/predict?']) {
    const client = await RawClient.open(on.server.port);
    client.send(predict(BODY, 'Connection: close\r\n', path.replace('?', '/label')));
    expect((await client.answer())?.status).toBe(200);
    expect(await client.rest()).toBe('');
    client.close();
  }
  for (const text of [predict(), get('/label')]) {
    const client = await RawClient.open(on.server.port);
    client.socket.end(text);
    expect((await client.answer())?.status).toBe(200);
    client.close();
  }
});

test('what follows a last request is not read', async () => {
  const client = await RawClient.open(on.server.port);
  client.send(predict(BODY, 'Connection: close\r\n') + predict() + get('/health'));
  expect((await client.answer())?.headers.connection).toBe('close');
  expect(await client.rest()).toBe('');
  client.close();
});

test('a body that does not come: 408, and the connection ends', async () => {
  const client = await RawClient.open(on.server.port);
  client.send(predict(BODY).slice(0, -5));
  const answer = await client.answer();
  expect([answer?.status, answer?.headers.connection]).toEqual([408, 'close']);
  expect(await client.rest()).toBe('');
  client.close();
});

test('a client that leaves in the middle of its body counts as gone', async () => {
  const page = async () => await (await fetch(`${on.url}/metrics`)).text();
  const gone = async () => Number(/^inlay_rejected_total\{reason="client_gone"\} (\d+)$/m.exec(await page())?.[1] ?? 0);
  const before = await gone();
  const client = await RawClient.open(on.server.port);
  client.send(predict(BODY).slice(0, -5));
  await Bun.sleep(20);
  client.close();
  while ((await gone()) !== before + 1) await Bun.sleep(5);
  expect(on.log.join('')).toBe('');
});

test('the access log has the address of the client, whoever answers', async () => {
  const { server, engine, log } = await serveReference({ directRequests: true, accessLog: true });
  const client = await RawClient.open(server.port);
  for (const text of [predict(), get('/health'), infer(1), get('/label'), predict()]) {
    client.send(text);
    await client.answer();
  }
  client.close();
  expect(log.map((line) => /method=(\S+) route=(\S+) .* peer=(\S+)\n/.exec(line)?.slice(1))).toEqual([
    ['POST', '/predict', '127.0.0.1'],
    ['GET', '/health', '127.0.0.1'],
    ['POST', '"/v2/models/{name}/infer"', '127.0.0.1'].map((part) => part.replaceAll('"', '')),
    ['GET', '/label', '127.0.0.1'],
    ['POST', '/predict', '127.0.0.1'],
  ]);
  await server.close();
  await engine.close();
});

test.each([
  ['direct', [predict(), get('/health'), infer(1)]],
  ['handed over', [get('/label'), predict(), get('/nowhere')]],
])('an old connection ends behind an answer: %s', async (_, texts) => {
  const { server, engine } = await serveReference({ directRequests: true, maxConnectionAgeMs: 100 });
  const client = await RawClient.open(server.port);
  let answers = 0;
  for (;;) {
    client.send(texts[answers % texts.length] as string);
    const answer = await client.answer();
    // The one that says so is answered like all others, and no request is lost.
    expect(answer?.status).toBeLessThan(500);
    answers++;
    if (answer?.headers.connection === 'close') break;
    await Bun.sleep(10);
  }
  expect(answers).toBeGreaterThan(1);
  expect(await client.rest()).toBe('');
  await server.close();
  await engine.close();
});

test('while it stops, all that was asked is answered, and each connection ends with an answer', async () => {
  const { server, engine } = await serveReference({ directRequests: true, drainMs: 300 });
  const [direct, handed, trickling] = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port)));
  handed?.send(get('/label'));
  expect((await handed?.answer())?.status).toBe(200);
  const stopped = server.drain();
  trickling?.send(predict().slice(0, -3));
  direct?.send(predict() + predict());
  handed?.send(predict());
  const answers = [await direct?.answer(), await direct?.answer(), await handed?.answer()];
  expect(answers.map((answer) => [answer?.status, answer?.headers.connection])).toEqual([
    [200, undefined],
    [200, 'close'],
    [200, 'close'],
  ]);
  expect([await direct?.rest(), await handed?.rest()]).toEqual(['', '']);
  // A request that has begun is waited for, beyond the drain.
  await Bun.sleep(400);
  trickling?.send(predict().slice(-3));
  expect((await trickling?.answer())?.body).toBe(GOOD);
  await stopped;
  await engine.close();
});

test('IPv6, and a server of Bun’s alone', async () => {
  const { server, engine } = await serveReference({ directRequests: true, host: '::1' });
  const client = await RawClient.open(server.port, '::1');
  for (const text of [predict(), get('/label')]) {
    client.send(text);
    expect((await client.answer())?.status).toBe(200);
  }
  client.close();
  await server.close();
  await engine.close();
});
