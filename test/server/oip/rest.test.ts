import { afterAll, beforeAll, expect, test } from 'bun:test';
import { deflateSync } from 'node:zlib';
import { SETOSA, serveReference, VIRGINICA } from '../serving.ts';
import { everyType, jsonInputs, serveModel, TYPES, VALUES } from './every-type.ts';

let iris: Awaited<ReturnType<typeof serveReference>>;
let types: Awaited<ReturnType<typeof serveModel>>;
beforeAll(async () => {
  iris = await serveReference({ maxBodyBytes: 100_000 });
  types = await serveModel(everyType());
});
afterAll(async () => {
  await iris.server.close();
  await iris.engine.close();
  await types.close();
});

const ask = async (path: string, init?: RequestInit) => {
  const response = await fetch(iris.url + path, init);
  return [response.status, await response.json()] as const;
};
const infer = (body: unknown, path = '/v2/models/iris/infer') =>
  ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const input = (more: object = {}) => ({
  name: 'float_input',
  datatype: 'FP32',
  shape: [1, 4],
  data: [5.1, 3.5, 1.4, 0.2],
  ...more,
});
const probabilities = { name: 'output_probability' };

test('the server and its model tell what they are, with and without a slash at the end', async () => {
  const metadata = {
    name: 'iris',
    versions: ['0.0.1'],
    platform: 'onnx_onnxv1',
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 4] }],
    outputs: [
      { name: 'output_label', datatype: 'INT64', shape: [-1] },
      { name: 'output_probability', datatype: 'FP32', shape: [-1, 3] },
    ],
  };
  for (const slash of ['', '/']) {
    expect(await ask(`/v2${slash}`)).toEqual([
      200,
      { name: 'inlay', version: expect.stringMatching(/^\d+\.\d+\.\d+/), extensions: ['binary_tensor_data'] },
    ]);
    expect(await ask(`/v2/health/live${slash}`)).toEqual([200, { live: true }]);
    expect(await ask(`/v2/health/ready${slash}`)).toEqual([200, { live: true, ready: true }]);
    for (const model of ['/v2/models/iris', '/v2/models/iris/versions/0.0.1']) {
      expect(await ask(model + slash)).toEqual([200, metadata]);
      expect(await ask(`${model}/ready${slash}`)).toEqual([200, { name: 'iris', ready: true }]);
      const [status, answer] = await infer({ inputs: [input()], outputs: [probabilities] }, `${model}/infer${slash}`);
      expect([status, answer.outputs[0].data]).toEqual([200, SETOSA]);
    }
  }
});

test('all outputs where none is asked for; the id comes back', async () => {
  expect(await infer({ id: 'a-1', inputs: [input()] })).toEqual([
    200,
    {
      model_name: 'iris',
      model_version: '0.0.1',
      id: 'a-1',
      outputs: [
        { name: 'output_label', datatype: 'INT64', shape: [1], data: [0] },
        { name: 'output_probability', datatype: 'FP32', shape: [1, 3], data: SETOSA },
      ],
    },
  ]);
});

test('data may be flat or nested, and null stands for what is left out', async () => {
  const nested = input({
    shape: [2, 4],
    data: [
      [5.1, 3.5, 1.4, 0.2],
      [1, 2, 3, 4],
    ],
    parameters: null,
  });
  const flat = input({ shape: [2, 4], data: [5.1, 3.5, 1.4, 0.2, 1, 2, 3, 4] });
  for (const one of [nested, flat]) {
    const [status, answer] = await infer({ id: null, parameters: null, inputs: [one], outputs: null });
    expect(status).toBe(200);
    expect(answer.outputs[1]).toMatchObject({ shape: [2, 3], data: [...SETOSA, ...VIRGINICA] });
    expect('id' in answer).toBe(false);
  }
});

test('requests that run together get their own rows and outputs', async () => {
  const row = (i: number) => [5 + i / 10, 3, 1 + i / 20, 0.2];
  const rows = Array.from({ length: 60 }, (_, i) => 1 + (i % 3));
  const answers = await Promise.all(
    rows.map((count, i) =>
      infer({
        inputs: [input({ shape: [count, 4], data: Array.from({ length: count }, () => row(i)).flat() })],
        ...(i % 2 === 0 ? { outputs: [probabilities] } : {}),
      }),
    ),
  );
  for (const [i, [status, answer]] of answers.entries()) {
    const count = rows[i] as number;
    const alone = await iris.engine.run({
      float_input: { datatype: 'FP32', shape: [1, 4], data: Float32Array.from(row(i)) },
    });
    const expected = Array.from({ length: count }, () =>
      Array.from(alone.output_probability?.data as Float32Array),
    ).flat();
    expect(status).toBe(200);
    expect(answer.outputs.map(({ name }: { name: string }) => name)).toEqual(
      i % 2 === 0 ? ['output_probability'] : ['output_label', 'output_probability'],
    );
    expect(answer.outputs.at(-1)).toMatchObject({ shape: [count, 3], data: expected });
  }
});

test('every datatype goes in and comes out as it was, several inputs by name in any order', async () => {
  const inputs = jsonInputs(TYPES, 2).reverse();
  const response = await fetch(`${types.url}/v2/models/types/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
  });
  const { outputs } = (await response.json()) as { outputs: { name: string; datatype: string; data: unknown[] }[] };
  expect(Object.fromEntries(outputs.map(({ name, data }) => [name, data]))).toEqual(
    Object.fromEntries(TYPES.map((type) => [`out_${type}`, [...VALUES[type], ...VALUES[type]]])),
  );
  expect(outputs.map(({ datatype }) => datatype).sort()).toEqual([...TYPES].sort());
});

test.each([
  ['no JSON', '{"inputs": ['],
  ['no UTF-8', '\uFFFD'],
  ['a list', '[]'],
  ['no inputs', '{}'],
  ['no input', { inputs: [] }],
  ['an unknown input', { inputs: [input({ name: 'float_inptu' })] }],
  ['an input twice', { inputs: [input(), input()] }],
  ['another datatype', { inputs: [input({ datatype: 'FP64' })] }],
  ['an unknown datatype', { inputs: [input({ datatype: 'BF16' })] }],
  ['another width', { inputs: [input({ shape: [1, 5], data: [1, 2, 3, 4, 5] })] }],
  ['another rank', { inputs: [input({ shape: [4] })] }],
  ['no rows', { inputs: [input({ shape: [0, 4], data: [] })] }],
  ['a negative dimension', { inputs: [input({ shape: [-1, 4] })] }],
  ['a fraction of a row', { inputs: [input({ shape: [0.5, 4] })] }],
  ['a shape too large to count', { inputs: [input({ shape: [1e300, 4] })] }],
  ['fewer values than the shape', { inputs: [input({ shape: [2, 4] })] }],
  [
    'ragged lists',
    {
      inputs: [
        input({
          shape: [2, 4],
          data: [
            [1, 2, 3, 4],
            [1, 2, 3],
          ],
        }),
      ],
    },
  ],
  ['texts', { inputs: [input({ data: ['1', '2', '3', '4'] })] }],
  ['null', { inputs: [input({ data: [null, 1, 2, 3] })] }],
  ['a number that overflows', { inputs: [input({ data: [1e39, 1, 2, 3] })] }],
  ['no data', { inputs: [input({ data: undefined })] }],
  ['data that is no list', { inputs: [input({ data: 5 })] }],
  ['an unknown output', { inputs: [input()], outputs: [{ name: 'labels' }] }],
  ['an output twice', { inputs: [input()], outputs: [probabilities, probabilities] }],
  ['a flag that is none', { inputs: [input()], parameters: { binary_data_output: 1 } }],
  ['an id that is no text', { id: 1, inputs: [input()] }],
  ['parameters that are a list', { inputs: [input()], parameters: [null] }],
  ['an output that is a list', { inputs: [input()], outputs: [[]] }],
])('%s is a 400 that says why', async (_, body) => {
  const [status, answer] = await infer(body);
  expect([status, answer]).toEqual([400, { error: expect.stringMatching(/\w/) }]);
});

test('whole numbers beyond 2^53: refused as JSON numbers, which would have been rounded', async () => {
  const inputs = jsonInputs().filter(({ name }) => name !== 'in_INT64');
  const body = JSON.stringify({ inputs }).replace(
    '"inputs":[',
    '"inputs":[{"name":"in_INT64","datatype":"INT64","shape":[1,2],"data":[1,9007199254740993]},',
  );
  const response = await fetch(`${types.url}/v2/models/types/infer`, { method: 'POST', body });
  expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
    400,
    expect.stringContaining('in_INT64'),
  ]);
});

test('inputs with different numbers of rows are refused', async () => {
  const inputs = [...jsonInputs().slice(1), ...jsonInputs(['BOOL'], 2)];
  const response = await fetch(`${types.url}/v2/models/types/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
  });
  expect(response.status).toBe(400);
});

test('another model or version is a 404 that names the one there is', async () => {
  const served = expect.stringContaining('iris version 0.0.1');
  for (const path of ['/v2/models/other', '/v2/models/iris/versions/2/ready', '/v2/models/%zz/'])
    expect(await ask(path)).toEqual([404, { error: served }]);
  expect(await infer({ inputs: [input()] }, '/v2/models/other/infer')).toEqual([404, { error: served }]);
  expect(await ask('/v2/nothing')).toEqual([404, { error: expect.any(String) }]);
});

test('methods, sizes and encodings that are not taken', async () => {
  expect(await ask('/v2/models/iris/infer')).toEqual([405, { error: expect.stringContaining('POST') }]);
  expect((await fetch(`${iris.url}/v2/models/iris`, { method: 'HEAD' })).status).toBe(200);
  expect(await infer({ inputs: [input()], parameters: { text: 'x'.repeat(100_000) } })).toEqual([
    413,
    { error: expect.any(String) },
  ]);
  const encoded = { method: 'POST', body: '{}', headers: { 'content-encoding': 'br' } };
  expect(await ask('/v2/models/iris/infer', encoded)).toEqual([415, { error: expect.stringContaining('gzip') }]);
});

test('compressed bodies, up to the limit of what is in them', async () => {
  const body = JSON.stringify({ inputs: [input()], outputs: [probabilities] });
  const send = (bytes: Uint8Array<ArrayBuffer>, encoding: string) =>
    ask('/v2/models/iris/infer', { method: 'POST', body: bytes, headers: { 'content-encoding': encoding } });
  for (const [bytes, encoding] of [
    [Bun.gzipSync(body), 'gzip'],
    [new Uint8Array(deflateSync(body)), 'deflate'],
  ] as const) {
    const [status, answer] = await send(bytes, encoding);
    expect([status, answer.outputs?.[0].data]).toEqual([200, SETOSA]);
  }
  expect(await send(Bun.gzipSync(' '.repeat(20_000_000)), 'gzip')).toEqual([413, { error: expect.any(String) }]);
  expect(await send(new Uint8Array(Buffer.from(body)), 'gzip')).toEqual([400, { error: expect.any(String) }]);
  expect(await send(Bun.gzipSync(body).slice(0, -9), 'gzip')).toEqual([400, { error: expect.any(String) }]);
});

test('/predict of the same model goes on beside it', async () => {
  const both = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      i % 2 === 0
        ? infer({ inputs: [input()], outputs: [probabilities] }).then(([, answer]) => answer.outputs[0].data)
        : ask('/predict', { method: 'POST', body: '{"data":[[5.1,3.5,1.4,0.2]]}' }).then(
            ([, answer]) => answer.prediction,
          ),
    ),
  );
  expect(both).toEqual(both.map(() => SETOSA));
});

test('a body of a million mistakes is refused for the first, and takes no memory for the others', async () => {
  const shape = new Array(1_500_000).fill('""').join(',');
  const body = `{"inputs":[{"name":"in_FP32","datatype":"FP32","shape":[${shape}],"data":[]}]}`;
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const response = await fetch(`${types.url}/v2/models/types/infer`, { method: 'POST', body });
  expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
    400,
    expect.stringContaining('inputs.0.shape.0'),
  ]);
  // A list of all took 800 MB.
  expect(process.memoryUsage.rss() - before).toBeLessThan(400e6);
});
