import { afterAll, beforeAll, expect, test } from 'bun:test';
import { SETOSA, serveReference } from './serving.ts';

let served: Awaited<ReturnType<typeof serveReference>>;
const LIMIT = 200_000;
beforeAll(async () => {
  served = await serveReference({ maxBodyBytes: LIMIT });
});
afterAll(async () => {
  await served.server.close();
  await served.engine.close();
});

/** Values that are no row of four finite float32 numbers, each put where one, or a row, or all rows should be. */
function* corpus(): Generator<{
  method?: string;
  path?: string;
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  status?: number;
}> {
  const scalars = [
    '"1"',
    '""',
    'true',
    'false',
    'null',
    '{}',
    '{"a":1}',
    '[]',
    '[1]',
    '[[1]]',
    'NaN',
    'Infinity',
    '-Infinity',
    '1e400',
    '-1e400',
    '1e39',
    '-3.5e38',
    'undefined',
    '0x10',
    '01',
    '+1',
    '1.',
    '.5',
    "'1'",
  ];
  for (const bad of scalars) {
    for (const column of [0, 3]) {
      const row = ['1', '2', '3', '4'];
      row[column] = bad;
      yield { body: `{"data":[[${row.join(',')}]]}` };
      yield { body: `{"data":[[1,2,3,4],[${row.join(',')}]]}` };
    }
    yield { body: `{"data":[${bad}]}` };
    yield { body: `{"data":${bad}}` };
    yield { body: bad === '{}' || bad === '{"a":1}' ? `{"other":${bad}}` : bad };
  }
  for (const width of [0, 1, 2, 3, 5, 6, 400]) yield { body: JSON.stringify({ data: [new Array(width).fill(1)] }) };
  yield {
    body: JSON.stringify({
      data: [
        [1, 2, 3, 4],
        [1, 2],
      ],
    }),
  };
  yield { body: JSON.stringify({ data: [[[1, 2, 3, 4]]] }) };
  for (const key of ['Data', 'dat', 'inputs', 'rows', '']) yield { body: JSON.stringify({ [key]: [[1, 2, 3, 4]] }) };
  for (const text of [
    '',
    ' ',
    '{',
    '}',
    '{"data"',
    '{"data":',
    '{"data":[[1,2,3,4]',
    '{"data":[[1,2,3,4]]} x',
    '{"data":[[1,2,3,4],]}',
    'data=[[1,2,3,4]]',
    '<xml/>',
    '\u0000',
    '{data:[[1,2,3,4]]}',
  ])
    yield { body: text };
  yield { body: Uint8Array.of(0xff, 0xfe, 0x7b, 0x7d) };
  yield { body: Uint8Array.of(0x80) };
  for (const depth of [100, 10_000, 90_000]) yield { body: `{"data":${'['.repeat(depth)}${']'.repeat(depth)}}` };
  yield { body: `{"data":${'['.repeat(90_000)}` };
  yield { body: `{"data":[[1,2,3,4]],"x":"${'a'.repeat(LIMIT)}"}`, status: 413 };
  yield { body: new Blob([`{"data":[[1,2,3,4]]${' '.repeat(LIMIT)}}`]).stream(), status: 413 };
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) yield { method, status: 405 };
  for (const path of [
    '/predict/',
    '/predictt',
    '/v9/predict',
    '/../etc/passwd',
    '/%00',
    '/predict%2Flabel',
    `/${'a'.repeat(4000)}`,
  ])
    yield { path, body: '{}', status: 404 };
  for (const path of ['/health', '/metadata', '/label', '/docs', '/openapi.json'])
    yield { path, body: '{}', status: 405 };
}

test('malformed requests are each answered 4xx in JSON, and the next good one right', async () => {
  const requests = [...corpus()];
  expect(requests.length).toBeGreaterThanOrEqual(200);
  for (const { method = 'POST', path = '/predict', body, status = 400 } of requests) {
    const told = `${method} ${path.slice(0, 40)} ${typeof body === 'string' ? body.slice(0, 60) : 'bytes'}`;
    const response = await fetch(served.url + path, { method, ...(body === undefined ? {} : { body }) });
    const answer = await response.json();
    expect([told, response.status, response.headers.get('content-type')]).toEqual([told, status, 'application/json']);
    expect(typeof answer.error.code === 'string' && answer.error.message.length > 5).toBe(true);
    if (answer.error.code === 'INPUT_INVALID')
      expect(answer.error.message).toStartWith('input float_input takes FP32 [-1, 4]; this has ');
    const good = await fetch(`${served.url}/predict`, { method: 'POST', body: '{"data":[[5.1,3.5,1.4,0.2]]}' });
    expect(await good.json()).toEqual({ prediction: SETOSA });
  }
  expect(served.log.join('')).toBe('');
}, 60_000);
