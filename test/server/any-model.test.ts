import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProject } from '../../src/contract/index.ts';
import { Engine } from '../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, ModelServer } from '../../src/server/index.ts';
import {
  FLOAT,
  FLOAT16,
  INT64,
  initializer,
  intAttribute,
  model,
  node,
  type Part,
  STRING,
  value,
} from '../onnx-builder.ts';
import { serveEngine } from './serving.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-any-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

interface Running {
  readonly url: string;
  readonly post: (body: unknown, path?: string) => Promise<{ status: number; body: Record<string, unknown> }>;
}

/** Serves a model made by hand while `work` runs. */
async function serving(
  name: string,
  graph: readonly Part[],
  config: string,
  work: (running: Running) => Promise<void>,
) {
  const project = join(dir, name);
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'm.onnx'), model(graph));
  writeFileSync(join(project, 'inlay.yaml'), `name: m\nversion: "1"\nmodel: m.onnx\n${config}`);
  const { contract, modelPath } = await readProject(project);
  const server = new ModelServer({
    settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0 },
    log: createLog('ERROR', 'TEXT', () => undefined),
  });
  await serveEngine(server, contract, await Engine.load({ contract, modelPath, threads: 1 }));
  const { url } = server;
  const post: Running['post'] = async (body, path = '/predict') => {
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  await work({ url, post }).finally(() => server.close());
}

const x = (...shape: number[]) => value(11, 'x', FLOAT, shape);
const y = (...shape: number[]) => value(12, 'y', FLOAT, shape);

test('several inputs by name, or as records', async () => {
  const graph = [
    value(11, 'age', FLOAT, [-1, 1]),
    value(11, 'height', FLOAT, [-1, 1]),
    y(-1, 1),
    node('Add', ['age', 'height'], ['y']),
  ];
  await serving('several', graph, 'sample: {age: [[1]], height: [[2]]}\n', async ({ post, url }) => {
    expect((await post({ inputs: { age: [[1]], height: [[20]] } })).body).toEqual({ prediction: [21] });
    expect((await post({ inputs: { height: [[20], [30]], age: [[1], [2]] } })).body).toEqual({
      prediction: [[21], [32]],
    });
    expect(
      (
        await post({
          records: [
            { age: 1, height: 5 },
            { height: 7, age: 2 },
          ],
        })
      ).body,
    ).toEqual({
      prediction: [[6], [9]],
    });
    expect((await post({})).body).toEqual({ prediction: [3] });
    for (const [body, said] of [
      [{ data: [[1]] }, 'fits a model with one input'],
      [{ inputs: { age: [[1]] } }, 'has no "height"'],
      [{ inputs: { age: [[1]], hight: [[1]] } }, 'no input "hight"'],
      [{ inputs: { age: [[1]], height: [[1], [2]] } }, 'different numbers of rows'],
      [{ inputs: [[1]] }, '"inputs" is a list'],
      [{ inputs: {}, records: [] }, 'which of them counts'],
      [{ records: [] }, '"records" is empty'],
      [{ records: [{ age: 1 }] }, 'records[0] has no "height"'],
      [{ records: [{ age: 1, height: 1, x: 1 }] }, 'records[0] has "x"'],
      [{ records: [{ age: 1, height: '1' }] }, 'the string "1"'],
      [{ records: [7] }, 'records[0] is a number'],
    ] as const) {
      const { status, body: answer } = await post(body);
      expect([status, JSON.stringify(answer)]).toEqual([
        400,
        expect.stringContaining(JSON.stringify(said).slice(1, -1)),
      ]);
    }
    const metadata = (await (await fetch(`${url}/metadata`)).json()) as Record<string, unknown>;
    expect(metadata.data_structure).toEqual({ age: '(1,1)', height: '(1,1)' });
  });
});

test('records where the contract names the columns of the one input', async () => {
  const config = 'sample: [[1, 2]]\nfeatures: [width, length]\n';
  await serving('features', [x(-1, 2), y(-1, 2), node('Neg', ['x'], ['y'])], config, async ({ post }) => {
    expect((await post({ records: [{ length: 3, width: 4 }] })).body).toEqual({ prediction: [-4, -3] });
    const { status, body } = await post({ records: [{ lenght: 3, width: 4 }] });
    expect([status, body]).toMatchObject([400, { error: { hint: 'Did you mean "length"?' } }]);
  });
});

test('records without names of columns are told how to get them', async () => {
  await serving('nameless', [x(-1, 2), y(-1, 2), node('Neg', ['x'], ['y'])], 'sample: [[1, 2]]\n', async ({ post }) => {
    const { status, body } = await post({ records: [{ a: 1 }] });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('features: [')]);
  });
});

test('float16, whose bits JavaScript keeps in an array of its own', async () => {
  const graph = [value(11, 'x', FLOAT16, [-1, 2]), value(12, 'y', FLOAT16, [-1, 2]), node('Identity', ['x'], ['y'])];
  await serving('half', graph, 'sample: [[1, 2]]\n', async ({ post }) => {
    expect((await post({ data: [[0.1, -65504]] })).body).toEqual({ prediction: [0.0999755859375, -65504] });
    expect((await post({ data: [[65520, 1]] })).status).toBe(400);
  });
});

test('text in, text out', async () => {
  const graph = [value(11, 'x', STRING, [-1, 1]), value(12, 'y', STRING, [-1, 1]), node('Identity', ['x'], ['y'])];
  await serving('text', graph, 'sample: [["a"]]\n', async ({ post }) => {
    expect((await post({ data: [['Grüße, 世界 "\\']] })).body).toEqual({ prediction: ['Grüße, 世界 "\\'] });
    expect((await post({ data: [['a'], ['']] })).body).toEqual({ prediction: [['a'], ['']] });
  });
});

test('one request in a batch that the model refuses, or whose answer is not finite, fails alone', async () => {
  const graph = [
    value(11, 'x', INT64, [-1, 1]),
    y(-1, 1),
    initializer('table', [4], [10, 20, Number.MAX_VALUE, 40]),
    node('Gather', ['table', 'x'], ['y']),
  ];
  // float32 holds no such number, so the third entry of the table is infinite.
  await serving('gather', graph, 'sample: [[0]]\n', async ({ post }) => {
    const asked = [0, 1, 3, 99, 0, 2, 1, 3];
    const answers = await Promise.all(asked.map((index) => post({ data: [[index]] })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400, 200, 500, 200, 200]);
    expect(answers.filter(({ status }) => status === 200).map(({ body }) => body.prediction)).toEqual([
      [10],
      [20],
      [40],
      [10],
      [20],
      [40],
    ]);
    expect(answers[5]?.body).toMatchObject({ error: { code: 'OUTPUT_NOT_FINITE' } });
  });
});

test('a model that drops rows by their values answers each request with its own, and says that it runs them alone', async () => {
  const graph = [
    x(-1, 2),
    y(-1, 2),
    initializer('least', [1], [-1000]),
    initializer('first', [2, 1], [1, 0]),
    initializer('flat', [1], [-1]),
    node('MatMul', ['x', 'first'], ['column']),
    node('Greater', ['column', 'least'], ['wanted']),
    node('Cast', ['flat'], ['shape'], intAttribute('to', INT64)),
    node('Reshape', ['wanted', 'shape'], ['rows']),
    node('Compress', ['x', 'rows'], ['y'], intAttribute('axis', 0)),
  ];
  // No variation of such a sample comes near to what is dropped, so rows seem to be of no matter to each other.
  await serving('filter', graph, 'sample: [[1, 2]]\n', async ({ post, url }) => {
    const execution = async () => ((await (await fetch(`${url}/metadata`)).json()) as { execution: unknown }).execution;
    expect(await execution()).toMatchObject({ batch: 'exact' });
    const asked = [1, 2, -5000, 3, 4];
    while (((await execution()) as { batch: string }).batch !== 'off') {
      const answers = await Promise.all(asked.map((first) => post({ data: [[first, 7]] })));
      expect(answers.map(({ body }) => body.prediction)).toEqual([[1, 7], [2, 7], [], [3, 7], [4, 7]]);
    }
  });
});

test('a model of one row at a time whose answers differ in shape: no row gets values of another, or made-up ones', async () => {
  const graph = [
    x(1, 3),
    y(1, -1),
    initializer('least', [1], [0]),
    initializer('flat', [1], [-1]),
    node('Greater', ['x', 'least'], ['wanted']),
    node('Cast', ['flat'], ['shape'], intAttribute('to', INT64)),
    node('Reshape', ['wanted', 'shape'], ['columns']),
    node('Compress', ['x', 'columns'], ['y'], intAttribute('axis', 1)),
  ];
  await serving('boxes', graph, 'sample: [[1, 2, 3]]\n', async ({ post }) => {
    expect((await post({ data: [[1, 2, -1]] })).body).toEqual({ prediction: [1, 2] });
    const alike = [
      [1, 2, -1],
      [-1, 3, 4],
    ];
    expect((await post({ data: alike })).body).toEqual({
      prediction: [
        [1, 2],
        [3, 4],
      ],
    });
    for (const data of [
      [...alike, [-1, 5, -1]],
      [[-1, 5, -1], ...alike],
    ])
      expect(await post({ data })).toMatchObject({ status: 400, body: { error: { code: 'INPUT_INVALID' } } });
  });
  const scalar = [x(1, 2), y(), node('ReduceSum', ['x'], ['y'], intAttribute('keepdims', 0))];
  await serving('scalar', scalar, 'sample: [[1, 2]]\n', async ({ post }) => {
    expect((await post({ data: [[1, 2]] })).body).toEqual({ prediction: [3] });
    expect(
      (
        await post({
          data: [
            [1, 2],
            [3, 4],
          ],
        })
      ).status,
    ).toBe(400);
  });
});

test('columns that are called as what every object has', async () => {
  const config = 'sample: [[1, 2]]\nfeatures: [constructor, toString]\n';
  await serving('objects', [x(-1, 2), y(-1, 2), node('Neg', ['x'], ['y'])], config, async ({ post }) => {
    expect((await post({ records: [{ constructor: 1, toString: 2 }] })).body).toEqual({ prediction: [-1, -2] });
    expect(await post({ records: [{}] })).toMatchObject({ status: 400, body: { error: { code: 'BODY_INVALID' } } });
  });
});

test('a heavy model runs on a thread of its own, and probes are answered meanwhile', async () => {
  const side = 1500;
  const weights = initializer(
    'w',
    [side, side],
    Array.from({ length: side * side }, (_, i) => ((i % 7) - 3) / side),
  );
  const layers = Array.from({ length: 30 }, (_, i) =>
    node('MatMul', [i === 0 ? 'x' : `t${i}`, 'w'], [i === 29 ? 'z' : `t${i + 1}`]),
  );
  const graph = [x(-1, side), y(-1, side), weights, ...layers, node('Tanh', ['z'], ['y'])];
  const row = Array.from({ length: side }, (_, i) => i % 3);
  await serving('heavy', graph, `sample: ${JSON.stringify([row])}\n`, async ({ post, url }) => {
    const metadata = (await (await fetch(`${url}/metadata`)).json()) as { execution: { mode: string } };
    expect(metadata.execution.mode).toBe('worker');
    const alone = await post({ data: [row] });
    expect(alone.status).toBe(200);
    const many = Promise.all(Array.from({ length: 8 }, () => post({ data: [row] })));
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    for (const { body } of await many) {
      const got = body.prediction as number[];
      const most = Math.max(
        ...got.map((value, i) => Math.abs(value - ((alone.body.prediction as number[])[i] as number))),
      );
      expect(most).toBeLessThan(1e-6);
    }
    // What a thread refuses is told as it would be here.
    expect((await post({ data: [[1]] })).status).toBe(400);
  });
}, 30_000);
