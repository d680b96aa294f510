import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Running, serveTransform, TEXT } from './serving.ts';

let root: string;
let count = 0;
const open: Running[] = [];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'inlay-serving-'));
});
afterAll(async () => {
  for (const { close } of open) await close();
  rmSync(root, { recursive: true });
});
async function serve(...[transform, more]: [string, Parameters<typeof serveTransform>[2]?]): Promise<Running> {
  const running = await serveTransform(join(root, `p${count++}`), transform, more);
  open.push(running);
  return running;
}
const metric = async ({ url }: Running, line: string) =>
  Number(
    (await (await fetch(`${url}/metrics`)).text())
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.split(' ')
      .at(-1),
  );

/** Bytes are two numbers; JSON says what to do. */
const BYTES = `
  import type { Transform } from 'inlay/transform';
  export default {
    accepts: ['image/png', 'image/x-pair'],
    preprocess({ bytes, contentType }, model) {
      if (bytes.length !== 2) throw model.badRequest('it takes 2 bytes, not ' + bytes.length, 'Send 2 bytes as ' + contentType + '.');
      return { x: { data: Float32Array.from(bytes), shape: [1, 2] } };
    },
  } satisfies Transform;`;

describe('an upload', () => {
  let running: Running;
  beforeAll(async () => {
    running = await serve(BYTES);
  });
  const two = new Uint8Array([3, 9]);

  test('is answered with the prediction, and with its label', async () => {
    const answer = await running.post(two, 'image/png');
    expect([answer.status, answer.body]).toEqual([200, { prediction: [3, 9] }]);
    expect(answer.headers.get('inlay-model')).toStartWith('pair:1@sha256:');
    expect((await running.post(two, 'image/png', '/predict/label')).body).toEqual({ prediction: 'b' });
    expect((await running.post(two, 'Image/PNG; q=1')).status).toBe(200);
    expect(await metric(running, 'inlay_predictions_total{label="b"}')).toBeGreaterThan(2);
  });

  test('may be a form with one file', async () => {
    const form = (...files: [Uint8Array<ArrayBuffer>, string][]) => {
      const made = new FormData();
      made.set('note', 'text beside it');
      for (const [i, [bytes, type]] of files.entries()) made.append(`f${i}`, new Blob([bytes], { type }), `${i}.bin`);
      return made;
    };
    expect((await running.post(form([two, 'image/png']))).body).toEqual({ prediction: [3, 9] });
    expect((await running.post(form([two, 'image/png'], [two, 'image/png']))).code).toBe('BODY_INVALID');
    expect((await running.post(form())).code).toBe('BODY_INVALID');
    expect((await running.post(form([two, 'image/gif']))).status).toBe(415);
    for (const body of ['', '--x', '--x\r\n\r\n--x--', '\0'])
      expect((await running.post(`${body} `, 'multipart/form-data; boundary=x')).code).toBe('BODY_INVALID');
    expect((await running.post('--x', 'multipart/form-data')).code).toBe('BODY_INVALID');
  });

  test.each([undefined, 'image/gif', 'application/json', 'text/plain', 'application/octet-stream', 'x'])(
    'of type %p is refused, with what is taken instead',
    async (type) => {
      const answer = await running.post(two, type);
      expect([answer.status, answer.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
      expect(JSON.stringify(answer.body)).toContain('image/png, image/x-pair');
      expect(answer.headers.get('accept')).toBe('image/png, image/x-pair');
    },
  );

  test('that the transform refuses is 400 in its words', async () => {
    const answer = await running.post(new Uint8Array([1, 2, 3]), 'image/x-pair');
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: { code: 'INPUT_INVALID', message: 'it takes 2 bytes, not 3', hint: 'Send 2 bytes as image/x-pair.' },
    });
    expect((await running.post('', 'image/png')).code).toBe('BODY_INVALID');
    expect(running.log.filter((line) => line.includes('ERROR'))).toEqual([]);
  });

  test('beyond the limit is 413', async () => {
    const small = await serve(BYTES, { settings: { maxBodyBytes: 100 } });
    expect((await small.post(new Uint8Array(101), 'image/png')).status).toBe(413);
  });

  test('may be compressed', async () => {
    const send = (encoding: string, body: Uint8Array<ArrayBuffer>) =>
      fetch(`${running.url}/predict`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'image/png', 'content-encoding': encoding },
      });
    expect(await (await send('gzip', Bun.gzipSync(two))).json()).toEqual({ prediction: [3, 9] });
    expect([(await send('gzip', two)).status, (await send('br', two)).status]).toEqual([400, 415]);
  });

  test('that came with others shares their run', async () => {
    running.runs.length = 0;
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) => running.post(new Uint8Array([i, 1]), 'image/png')),
    );
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 40 }, (_, i) => ({ prediction: [i, 1] })));
    expect(running.runs.reduce((a, b) => a + b)).toBe(40);
    expect(Math.max(...running.runs)).toBeGreaterThan(1);
  });

  test('is what the documents say', async () => {
    const { paths } = (await (await fetch(`${running.url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { requestBody: { content: object }; responses: object } }>;
    };
    for (const path of ['/predict', '/predict/label']) {
      const { requestBody, responses } = paths[path]?.post ?? {};
      expect(requestBody?.content).toEqual({
        'image/png': { schema: { type: 'string', format: 'binary' } },
        'image/x-pair': { schema: { type: 'string', format: 'binary' } },
      });
      expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['200', '400', '413', '415', '500', '504']));
    }
    const metadata = (await (await fetch(`${running.url}/metadata`)).json()) as { transform: object };
    expect(metadata.transform).toMatchObject({ file: 'transform.ts', accepts: ['image/png', 'image/x-pair'] });
    expect(await (await fetch(`${running.url}/`)).text()).toContain('"accepts":["image/png","image/x-pair"]');
  });

  test('does not change what tensors and the sample are answered', async () => {
    expect(await (await fetch(`${running.url}/predict/test`)).json()).toEqual({ prediction: [0, 0] });
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
    const answer = await running.post(body, 'application/json', '/v2/models/pair/infer');
    expect(answer.body).toMatchObject({ outputs: [{ data: [1, 2] }, { data: [3] }] });
    expect((await fetch(`${running.url}/predict`)).status).toBe(405);
  });
});

test('JSON of its own, text inputs, several rows, and an answer of its own', async () => {
  const running = await serve(
    `export default {
      preprocess({ json }, { inputs, labels }) {
        const words = json().words;
        return { text: { data: words, shape: [words.length] }, n: { data: BigInt64Array.from(words, (w) => BigInt(w.length)), shape: [words.length] } };
      },
      postprocess({ out, m }, model, request) {
        return { shape: out.shape, datatype: m.datatype, out: out.data, lengths: m.data, big: 2n ** 60n, at: new Date(0), asked: request.json(), none: undefined,
          bits: new Uint8Array([1, 2]), name: model.name };
      },
    };`,
    { onnx: TEXT, config: 'task: other\n' },
  );
  expect((await running.post('{"words":["a","bc"]}')).body).toEqual({
    shape: [2],
    datatype: 'INT64',
    out: ['a', 'bc'],
    lengths: [1, 2],
    big: '1152921504606846976',
    at: '1970-01-01T00:00:00.000Z',
    asked: { words: ['a', 'bc'] },
    bits: [1, 2],
    name: 'pair',
  });
  // Requests of one row and of three are run together and told apart.
  const bodies = [['x'], ['y', 'yy', 'yyy'], ['z']];
  const all = await Promise.all(bodies.map((words) => running.post(JSON.stringify({ words }))));
  expect(all.map(({ body }) => (body as { out: string[] }).out)).toEqual(bodies);
  for (const body of ['{', 'NaN', '"\xff']) expect((await running.post(body)).code).toBe('BODY_INVALID');
  expect((await running.post(new Uint8Array([0x22, 0xff, 0x22]))).code).toBe('BODY_INVALID');
  expect((await running.post('{}', 'application/json; charset=utf-8')).code).toBe('TRANSFORM_FAILED');
  expect((await running.post('{"words":["a"]}', undefined, '/predict/label')).code).toBe('NOT_FOUND');
});

/** What to give is in the body. */
const GIVING = (more = '') => `
  export default {
    async preprocess({ json }, model) {
      ${more}
      return new Function('x', 'model', 'return (' + json().give + ')')({ data: Float32Array.of(1, 2), shape: [1, 2] }, model);
    },
    async postprocess(outputs, model, { json }) {
      return json().answer === undefined ? { sum: outputs.sum.data[0] } : new Function('outputs', 'return (' + json().answer + ')')(outputs);
    },
  };`;

describe('what a transform must not do costs the request, not the server', () => {
  let running: Running;
  beforeAll(async () => {
    running = await serve(GIVING(), { settings: { transformTimeoutMs: 300 } });
  });
  const ask = (give: string, answer?: string) => running.post(JSON.stringify({ give, answer }));

  test.each([
    ['nothing', 'undefined'],
    ['null', 'null'],
    ['a list', '[x]'],
    ['no tensor', '({})'],
    ['a tensor of another name', '({ x, y: x })'],
    ['no shape', '({ x: { data: x.data } })'],
    ['a shape that is none', '({ x: { data: x.data, shape: [1, -2] } })'],
    ['a shape of another rank', '({ x: { data: x.data, shape: [2] } })'],
    ['a shape of another width', '({ x: { data: Float32Array.of(1, 2, 3), shape: [1, 3] } })'],
    ['fewer values than the shape', '({ x: { data: Float32Array.of(1), shape: [1, 2] } })'],
    ['no values', '({ x: { data: Float32Array.of(), shape: [0, 2] } })'],
    ['another datatype', '({ x: { data: Float64Array.of(1, 2), shape: [1, 2] } })'],
    ['plain numbers', '({ x: { data: [1, 2], shape: [1, 2] } })'],
    ['NaN', '({ x: { data: Float32Array.of(1, NaN), shape: [1, 2] } })'],
    ['infinity', '({ x: { data: Float32Array.of(1, 1 / 0), shape: [1, 2] } })'],
    ['a throw', '(() => { throw new Error("secret") })()'],
    ['a throw of no error', '(() => { throw "secret" })()'],
    ['a promise that fails', 'Promise.reject(new Error("secret"))'],
    ['a stack overflow', '(function f() { return f() + 1 })()'],
  ])('gives %s', async (_, give) => {
    const { status, code, body } = await ask(give);
    expect([status, code]).toEqual([500, 'TRANSFORM_FAILED']);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test.each([
    ['a function', '() => 1', 'TRANSFORM_FAILED'],
    ['nothing', 'undefined', 'TRANSFORM_FAILED'],
    ['a circle', '(() => { const a = {}; a.a = a; return a })()', 'TRANSFORM_FAILED'],
    ['NaN', '({ a: [NaN] })', 'OUTPUT_NOT_FINITE'],
    ['infinity in an array', 'Float32Array.of(1 / 0)', 'OUTPUT_NOT_FINITE'],
    ['a throw', '(() => { throw new Error("x") })()', 'TRANSFORM_FAILED'],
  ])('answers %s', async (_, answer, expected) => {
    const { status, code } = await ask('({ x })', answer);
    expect([status, code as string]).toEqual([500, expected]);
  });

  test('waits for ever', async () => {
    for (const [give, answer] of [['new Promise(() => {})'], ['({ x })', 'new Promise(() => {})']] as const) {
      const { status, code } = await ask(give, answer);
      expect([status, code]).toEqual([504, 'TRANSFORM_TIMEOUT']);
    }
  });

  test('and is counted and logged, with where it happened', async () => {
    await ask('(() => { throw new Error("hidden from clients") })()');
    expect(running.log.at(-1)).toMatch(
      /ERROR the transform failed on this request code=TRANSFORM_FAILED cause="Error: hidden from clients.*transform\.js/,
    );
    expect(await metric(running, 'inlay_rejected_total{reason="transform_failed"}')).toBeGreaterThan(20);
    expect(await metric(running, 'inlay_rejected_total{reason="transform_timeout"}')).toBe(2);
    expect(await metric(running, 'inlay_request_duration_seconds_count{route="/predict",code="504"}')).toBe(2);
    expect((await ask('({ x })')).body).toEqual({ sum: 3 });
  });

  test('changes what it is told of the model for itself alone', async () => {
    const intact = 'model.name + model.inputs.length + model.inputs[0].shape[0] + model.labels.length';
    for (const change of [
      'model.name = "x"',
      'model.inputs.push(1)',
      'model.inputs[0].shape[0] = 7',
      'model.labels.pop()',
    ]) {
      const give = `(() => { try { ${change} } catch {} return ${intact} === 'pair1-12' ? { x } : null })()`;
      expect([change, (await ask(give)).status]).toEqual([change, 200]);
    }
    expect((await ask('({ x })')).status).toBe(200);
  });
});

test('more than it can do is refused at once, and probes are answered meanwhile', async () => {
  const running = await serve(GIVING('const until = performance.now() + 30; while (performance.now() < until);'), {
    settings: { maxQueueMs: 600 },
  });
  const body = JSON.stringify({ give: '({ x })' });
  await running.post(body);
  const order: string[] = [];
  const asked = Array.from({ length: 60 }, () =>
    running.post(body).then((answer) => {
      order.push(String(answer.status));
      return answer;
    }),
  );
  const probe = fetch(`${running.url}/health/live`).then(({ status }) => order.push(`live ${status}`));
  const answers = await Promise.all(asked);
  await probe;
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(20);
  expect(refused[0]?.code).toBe('OVERLOADED');
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  // Not after all of them: it waits for some calls at most.
  expect(order.indexOf('live 200')).toBeLessThan(order.lastIndexOf('200'));
  expect((await running.post(body)).status).toBe(200);
});

test('who has gone is not run', async () => {
  const running = await serve(`let calls = 0;
    export default {
      preprocess() { calls++; const until = performance.now() + 50; while (performance.now() < until); return { x: { data: Float32Array.of(calls, 0), shape: [1, 2] } }; },
    };`);
  const gone = new AbortController();
  const body = '{}';
  const first = running.post(body);
  const others = Array.from({ length: 5 }, () =>
    fetch(`${running.url}/predict`, { method: 'POST', body, signal: gone.signal }).catch(() => undefined),
  );
  setTimeout(() => gone.abort(), 20);
  await Promise.all([first, ...others]);
  const { body: last } = (await running.post(body)) as { body: { prediction: number[] } };
  expect(last.prediction[0]).toBeLessThan(7);
});

test('the prediction log has the tensors, without what is redacted, and nothing of the body', async () => {
  const running = await serve(BYTES, {
    config: 'labels: labels.json\ntask: classification\nfeatures: [height, age]\n',
    settings: { predictionLog: 'stdout', predictionLogRedact: ['age'] },
  });
  await running.post(new Uint8Array([3, 9]), 'image/png');
  const lines = (await running.logged()).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    { route: '/predict', inputs: [{ name: 'x', data: [3, null] }], outputs: [{ name: 'p', data: [3, 9] }] },
  ]);
});
