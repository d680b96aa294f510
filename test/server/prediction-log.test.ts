import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createLog, DEFAULT_SETTINGS, ModelServer, openGrpc, type Settings } from '../../src/server/index.ts';
import { GRPCInferenceService, ModelInferRequestSchema } from '../../src/server/oip/grpc/gen/inference_pb.ts';
import { definitionOf } from '../../src/server/oip/grpc/methods.ts';
import type { LineSink } from '../../src/server/prediction-log/index.ts';
import { REFERENCE, SETOSA, serveEngine, serveReference } from './serving.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const BODY = JSON.stringify({ data: [ROW] });
const FLOATS = [...Float32Array.from(ROW)];
const MAIN = join(import.meta.dir, '../../src/server/main.ts');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'inlay-predictions-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

type Line = Record<string, unknown>;
const linesOf = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** The reference model while `work` runs, and what its prediction log held at the end. */
async function logged(
  name: string,
  settings: Partial<Settings>,
  work: (served: Awaited<ReturnType<typeof serveReference>>) => Promise<unknown>,
): Promise<Line[]> {
  const path = join(dir, `${name}.jsonl`);
  const served = await serveReference({ predictionLog: path, ...settings });
  try {
    await work(served);
    await served.server.flushed();
    return linesOf(path);
  } finally {
    await served.server.close();
    await served.engine.close();
  }
}

const post = (
  url: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) => fetch(url + path, { method: 'POST', body, headers });
const oipInput = (more: object = {}) => ({ name: 'float_input', datatype: 'FP32', shape: [1, 4], data: ROW, ...more });
const infer = (url: string, more: object = {}, headers: Record<string, string> = {}) =>
  post(url, '/v2/models/iris/infer', JSON.stringify({ inputs: [oipInput()], ...more }), headers);

function inferBinary(url: string): Promise<Response> {
  const tensor = new Uint8Array(Float32Array.from(ROW).buffer);
  const json = JSON.stringify({
    id: 'in-binary',
    inputs: [oipInput({ data: undefined, parameters: { binary_data_size: tensor.length } })],
    parameters: { binary_data_output: true },
  });
  const body = new Uint8Array(Buffer.concat([Buffer.from(json), tensor]));
  return post(url, '/v2/models/iris/versions/0.0.1/infer', body, {
    'inference-header-content-length': String(json.length),
  });
}

async function inferGrpc(served: Awaited<ReturnType<typeof serveReference>>): Promise<Metadata> {
  const settings = { ...DEFAULT_SETTINGS, host: '127.0.0.1', grpc: { port: 0, asked: true } };
  const listener = openGrpc(
    served.server,
    settings,
    createLog('ERROR', 'TEXT', () => {}),
  );
  const client = new Client(`127.0.0.1:${listener?.port}`, credentials.createInsecure());
  const method = definitionOf(GRPCInferenceService).modelInfer as NonNullable<ReturnType<typeof definitionOf>[string]>;
  const metadata = new Metadata();
  metadata.set('x-request-id', 'by-grpc');
  metadata.set('traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
  const request = create(ModelInferRequestSchema, {
    modelName: 'iris',
    id: 'g-1',
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: ROW } }],
  });
  try {
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        (error) => error && reject(error),
      );
      call.on('metadata', resolve);
    });
  } finally {
    client.close();
    await listener?.close(0);
  }
}

const IDENTITY = { model: 'iris', version: '0.0.1', time: expect.stringMatching(/^2\d{3}-.*Z$/) };
const INPUTS = [{ name: 'float_input', datatype: 'FP32', shape: [1, 4], data: FLOATS }];
const OUTPUTS = [
  { name: 'output_label', datatype: 'INT64', shape: [1], data: [0] },
  { name: 'output_probability', datatype: 'FP32', shape: [1, 3], data: SETOSA },
];

test('/predict: the body as it was sent, the prediction and the request id, on one line', async () => {
  const lines = await logged('predict', {}, async ({ url }) => {
    await post(url, '/predict', `{"data":\r\n[${JSON.stringify(ROW)}]}`, { 'x-request-id': 'logged' });
    await post(url, '/predict/label', BODY);
    await post(url, '/predict', '{}');
    await post(url, '/predict', '{"data":[[1]]}');
  });
  expect(lines).toEqual([
    { ...IDENTITY, requestId: 'logged', route: '/predict', inputs: { data: [ROW] }, prediction: SETOSA },
    { ...IDENTITY, route: '/predict/label', inputs: { data: [ROW] }, prediction: 'setosa' },
    { ...IDENTITY, route: '/predict', inputs: {}, prediction: SETOSA },
  ]);
});

test('the Open Inference Protocol, in JSON, in binary and over gRPC: tensors, and both of its ids', async () => {
  let metadata = new Metadata();
  const lines = await logged('oip', {}, async (served) => {
    const headers = { 'x-request-id': 'by-rest' };
    await infer(served.url, { id: 'r-1', outputs: [{ name: 'output_probability' }] }, headers);
    await inferBinary(served.url);
    metadata = await inferGrpc(served);
    await infer(served.url, { inputs: [oipInput({ shape: [2, 4] })] });
  });
  expect(lines).toEqual([
    {
      ...IDENTITY,
      requestId: 'by-rest',
      id: 'r-1',
      route: '/v2/models/{name}/infer',
      inputs: [{ ...INPUTS[0], data: FLOATS }],
      outputs: [OUTPUTS[1]],
    },
    {
      ...IDENTITY,
      id: 'in-binary',
      route: '/v2/models/{name}/versions/{version}/infer',
      inputs: INPUTS,
      outputs: OUTPUTS,
    },
    {
      ...IDENTITY,
      requestId: 'by-grpc',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      id: 'g-1',
      route: '/inference.GRPCInferenceService/ModelInfer',
      inputs: INPUTS,
      outputs: OUTPUTS,
    },
  ]);
  // What HTTP has in headers, a call has in its metadata.
  expect(metadata.get('inlay-model')).toEqual([expect.stringMatching(/^iris:0\.0\.1@sha256:[0-9a-f]{64}$/)]);
  expect(metadata.get('x-request-id')).toEqual(['by-grpc']);
});

test('values of redacted names are null, wherever the name stands', async () => {
  const redact = { predictionLogRedact: ['petal_length', 'output_label'] };
  const record = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const lines = await logged('redacted', redact, async ({ url }) => {
    await post(url, '/predict', BODY);
    await post(url, '/predict', JSON.stringify({ records: [record] }));
    await infer(url);
    await post(url, '/predict', JSON.stringify({ inputs: { float_input: [ROW] } }));
  });
  const hidden = (row: readonly number[]) => row.map((value, column) => (column === 2 ? null : value));
  expect(lines.map(({ inputs }) => inputs)).toEqual([
    { data: [hidden(ROW)] },
    { records: [{ ...record, petal_length: null }] },
    [{ ...INPUTS[0], data: hidden(FLOATS) }],
    { inputs: { float_input: [hidden(ROW)] } },
  ]);
  expect(lines[2]?.outputs).toEqual([{ ...OUTPUTS[0], data: null }, OUTPUTS[1]]);
  const whole = await logged('whole', { predictionLogRedact: ['float_input'] }, async ({ url }) => {
    await post(url, '/predict', BODY);
    await post(url, '/predict', JSON.stringify({ inputs: { float_input: [ROW] } }));
    await post(url, '/predict', JSON.stringify({ records: [record] }));
    await infer(url);
  });
  // A time such as 09:12:23.512Z has these figures too.
  expect(JSON.stringify(whole.map(({ time: _, ...line }) => line))).not.toContain('3.5');
});

test('a name to redact that the model does not have is a mistake, not a hole', async () => {
  const misspelt = serveReference({
    predictionLog: join(dir, 'misspelt.jsonl'),
    predictionLogRedact: ['petal_lenght'],
  });
  expect(await misspelt.catch(({ code, hint }) => [code, hint])).toEqual([
    'ENVIRONMENT_INVALID',
    'Did you mean "petal_length"?',
  ]);
});

test('what is too large is cut, and says so', async () => {
  const rows = 20_000;
  const lines = await logged('large', {}, async ({ url }) => {
    await post(url, '/predict', JSON.stringify({ data: Array.from({ length: rows }, () => ROW) }));
    await infer(url, {
      inputs: [oipInput({ shape: [rows, 4], data: Array.from({ length: rows }, () => ROW).flat() })],
      outputs: [{ name: 'output_probability' }],
    });
  });
  expect(lines[0]).toMatchObject({ inputs: null, prediction: null, truncated: true });
  const [input] = (lines[1] as { inputs: { shape: number[]; data: number[]; truncated: boolean }[] }).inputs;
  expect(input).toMatchObject({ shape: [rows, 4], truncated: true });
  expect(input?.data.length).toBe(10_000);
});

test('a sample of requests', async () => {
  const lines = await logged('sampled', { predictionLogSample: 0.2 }, ({ url }) =>
    Promise.all(Array.from({ length: 500 }, () => post(url, '/predict', BODY))),
  );
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.length).toBeLessThan(300);
});

test('a file that would grow beyond its limit begins anew, one older file is kept', async () => {
  const path = join(dir, 'rotated.jsonl');
  await logged('rotated', { predictionLogMaxBytes: 2_000 }, async ({ url, server }) => {
    for (let i = 0; i < 30; i++) {
      await post(url, '/predict', BODY, { 'x-request-id': String(i) });
      await server.flushed();
    }
  });
  const ids = [`${path}.1`, path].flatMap((one) => linesOf(one).map(({ requestId }) => Number(requestId)));
  expect(ids.at(-1)).toBe(29);
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => 30 - ids.length + i));
  for (const one of [path, `${path}.1`]) expect(statSync(one).size).toBeLessThanOrEqual(2_000);
});

/** A sink that takes nothing until it is told to. */
class Stalled implements LineSink {
  readonly released = Promise.withResolvers<boolean>();
  write(): Promise<boolean> {
    return this.released.promise;
  }
  async close(): Promise<void> {}
}

test('where lines are not taken, they are dropped and counted, memory is bounded and requests go on', async () => {
  const { server: other, engine, url: unused } = await serveReference();
  await other.close();
  expect(unused).toStartWith('http');
  const sink = new Stalled();
  const log: string[] = [];
  const server = new ModelServer({
    settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0, predictionLog: 'stdout' },
    log: createLog('INFO', 'TEXT', (line) => void log.push(line)),
    predictionSink: sink,
  });
  await serveEngine(server, engine.contract, engine);
  const large = JSON.stringify({ data: Array.from({ length: 2_000 }, () => ROW) });
  for (let i = 0; i < 60; i++) expect((await post(server.url, '/predict', large)).status).toBe(200);
  const page = await (await fetch(`${server.url}/metrics`)).text();
  const dropped = Number(/^inlay_prediction_log_dropped_total (\d+)$/m.exec(page)?.[1]);
  expect(dropped).toBeGreaterThan(10);
  expect(log.filter((line) => line.includes('dropped=')).length).toBe(1);
  sink.released.resolve(true);
  await server.flushed();
  const after = await (await fetch(`${server.url}/metrics`)).text();
  expect(Number(/^inlay_prediction_log_lines_total (\d+)$/m.exec(after)?.[1])).toBe(60 - dropped);
  await server.close();
});

/** The image's program, while `work` runs; what it wrote to stdout behind the line with the URL. */
async function program(env: Record<string, string>, work: (url: string) => Promise<unknown>): Promise<string> {
  const child = Bun.spawn([process.execPath, '--no-env-file', '--no-install', MAIN], {
    env: {
      ...{ HOST: '127.0.0.1', PORT: '0', DRAIN_S: '0', LOG_LEVEL: 'ERROR' },
      ...{ MODEL_FILEPATH: join(REFERENCE, 'iris_svc.onnx'), LABEL_FILEPATH: join(REFERENCE, 'label.json') },
      ...env,
    },
    stdout: 'pipe',
    stderr: 'inherit',
  });
  let text = '';
  const decoder = new TextDecoder();
  let worked: Promise<unknown> | undefined;
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const url = /^inlay serves .* at (\S+)\n/.exec(text)?.[1];
    if (url && !worked) worked = work(url).finally(() => child.kill('SIGTERM'));
  }
  await worked;
  expect(await child.exited).toBe(0);
  return text.slice(text.indexOf('\n') + 1);
}

const many = (url: string) =>
  Promise.all(
    // Connections of their own, so that all serving threads get some.
    Array.from({ length: 200 }, (_, i) =>
      fetch(`${url}/predict`, {
        method: 'POST',
        body: BODY,
        headers: { 'x-request-id': String(i), connection: 'close' },
      }),
    ),
  );
const everyId = Array.from({ length: 200 }, (_, i) => String(i)).sort();

test('on stdout, of all serving threads, and whatever waits at the end is written', async () => {
  const text = await program({ PREDICTION_LOG: 'stdout' }, many);
  const lines = text.split('\n').slice(0, -1);
  expect(lines.map((line) => (JSON.parse(line) as Line).requestId).sort()).toEqual(everyId as never);
}, 20_000);

test('a file of all serving threads; one that was moved away is made anew', async () => {
  const path = join(dir, 'threads.jsonl');
  await program({ PREDICTION_LOG: path }, async (url) => {
    await many(url);
    renameSync(path, `${path}.moved`);
    // It is looked for every five seconds.
    while (!existsSync(path)) {
      await fetch(`${url}/predict`, { method: 'POST', body: BODY });
      await Bun.sleep(100);
    }
  });
  const ids = [...linesOf(`${path}.moved`), ...linesOf(path)].flatMap(({ requestId }) => requestId ?? []);
  expect(ids.sort()).toEqual(everyId as never);
}, 30_000);

test('a file that cannot be written ends the server at start', async () => {
  const child = Bun.spawn([process.execPath, MAIN], {
    env: {
      ...{ HOST: '127.0.0.1', PORT: '0', MODEL_FILEPATH: join(REFERENCE, 'iris_svc.onnx') },
      PREDICTION_LOG: '/nowhere/at/all.jsonl',
    },
    stdout: 'ignore',
    stderr: 'pipe',
  });
  expect(await new Response(child.stderr).text()).toContain(
    'ENVIRONMENT_INVALID: PREDICTION_LOG=/nowhere/at/all.jsonl',
  );
  expect(await child.exited).toBe(1);
}, 20_000);
