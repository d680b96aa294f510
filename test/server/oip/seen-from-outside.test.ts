import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { Lane } from '../../../src/engine/index.ts';
import { createLog, DEFAULT_SETTINGS, openGrpc } from '../../../src/server/index.ts';
import { GRPCInferenceService, ModelInferRequestSchema } from '../../../src/server/oip/grpc/gen/inference_pb.ts';
import { definitionOf } from '../../../src/server/oip/grpc/methods.ts';
import { serveReference } from '../serving.ts';

// What every request has beside its answer, the protocol's requests have too: headers, counts, a bounded queue, a deadline.

/** Runs wait behind it while it is shut. */
class Gate {
  #open = Promise.resolve();
  #release = () => {};
  runs = 0;

  shut(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open = promise;
    this.#release = resolve;
  }

  open(): void {
    this.#release();
  }

  around(lane: Lane): Lane {
    return {
      run: async (feeds, names) => {
        this.runs++;
        await this.#open;
        return lane.run(feeds, names);
      },
    };
  }
}

const gate = new Gate();
let served: Awaited<ReturnType<typeof serveReference>>;
let grpc: NonNullable<ReturnType<typeof openGrpc>>;
let client: Client;
beforeAll(async () => {
  served = await serveReference({ maxQueueRows: 1, maxQueueMs: 60_000, bodyTimeoutMs: 400, accessLog: true }, (lane) =>
    gate.around(lane),
  );
  const settings = { ...DEFAULT_SETTINGS, host: '127.0.0.1', grpc: { port: 0, asked: true } };
  const log = createLog('ERROR', 'TEXT', () => {});
  grpc = openGrpc(served.server, settings, log) as typeof grpc;
  client = new Client(`127.0.0.1:${grpc.port}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await grpc.close(0);
  await served.server.close();
  await served.engine.close();
});

const BODY = JSON.stringify({
  inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1, 4], data: [6.5, 3, 5.2, 2] }],
});
const post = (path = '/v2/models/iris/infer', init: RequestInit = {}) =>
  fetch(served.url + path, { method: 'POST', body: BODY, ...init });

/** Resolves to the code of the answer, 0 for one that is well. @param signal cancels the call */
function callInfer(model = 'iris', signal?: AbortSignal): Promise<number> {
  const method = definitionOf(GRPCInferenceService).modelInfer as NonNullable<ReturnType<typeof definitionOf>[string]>;
  const message = create(ModelInferRequestSchema, {
    modelName: model,
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: [6.5, 3, 5.2, 2] } }],
  });
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      (error: ServiceError | null) => resolve(error?.code ?? 0),
    );
    signal?.addEventListener('abort', () => call.cancel());
  });
}

async function metric(sample: string): Promise<number> {
  const page = await (await fetch(`${served.url}/metrics`)).text();
  const line = page.split('\n').find((one) => one.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? 0);
}
const requests = (route: string, code: number | string) =>
  metric(`inlay_request_duration_seconds_count{route="${route}",code="${code}"}`);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(2);
}

test('every answer names the model, and gives a request its id back; errors are a text', async () => {
  const headers = { 'x-request-id': 'abc' };
  const answers = [
    await post(undefined, { headers }),
    await post(undefined, { headers, body: 'nonsense' }),
    await post('/v2/models/rose/infer', { headers }),
    await fetch(`${served.url}/v2/models/iris`, { headers }),
    await fetch(`${served.url}/v2/nowhere`, { headers }),
    await fetch(`${served.url}/v2/models/iris/infer`, { headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 404, 200, 404, 405]);
  for (const answer of answers) {
    expect(answer.headers.get('inlay-model')).toMatch(/^iris:0\.0\.1@sha256:[0-9a-f]{64}$/);
    expect(answer.headers.get('x-request-id')).toBe('abc');
    const body = await answer.json();
    if (!answer.ok) expect(body).toEqual({ error: expect.any(String) });
  }
  const line = served.log.find((one) => one.includes('/infer'));
  expect(line).toContain('route=/v2/models/{name}/infer status=200');
});

test('requests are counted by the pattern of their route, calls by their method, rows by their label', async () => {
  const infer = '/v2/models/{name}/infer';
  const versioned = '/v2/models/{name}/versions/{version}/infer';
  const method = '/inference.GRPCInferenceService/ModelInfer';
  const samples = () =>
    Promise.all([
      requests(infer, 200),
      requests(infer, 400),
      requests(versioned, 200),
      requests(method, 'OK'),
      requests(method, 'NOT_FOUND'),
      metric('inlay_predictions_total{label="virginica"}'),
      metric('inlay_rejected_total{reason="not_found"}'),
    ]);
  const before = await samples();
  await post();
  await post('/v2/models/iris/infer/');
  await post(undefined, { body: '{}' });
  await post('/v2/models/iris/versions/0.0.1/infer');
  expect(await callInfer()).toBe(0);
  expect(await callInfer('rose')).toBe(5);
  const after = await samples();
  expect(after.map((value, i) => value - (before[i] as number))).toEqual([2, 1, 1, 1, 1, 4, 1]);
});

test('a full queue refuses, over REST and gRPC', async () => {
  expect(await callInfer()).toBe(0);
  gate.shut();
  const runs = gate.runs;
  const first = post();
  await until(() => gate.runs === runs + 1);
  const second = post();
  await until(async () => (await metric('inlay_queue_rows')) === 1);
  const refused = await post();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toEqual({ error: expect.stringContaining('more to do than it can') });
  expect(await callInfer()).toBe(14);
  expect(await metric('inlay_rejected_total{reason="overloaded"}')).toBe(2);
  gate.open();
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
});

test.each([
  ['REST', (signal: AbortSignal) => post(undefined, { signal }).then(() => 'answered')],
  ['gRPC', (signal: AbortSignal) => callInfer('iris', signal)],
] as const)('what nobody waits for any more is not run: %s', async (_, ask) => {
  expect(await callInfer()).toBe(0);
  const gone = await metric('inlay_rejected_total{reason="client_gone"}');
  gate.shut();
  const runs = gate.runs;
  const first = post();
  await until(() => gate.runs === runs + 1);
  const leaving = new AbortController();
  const second = ask(leaving.signal).catch(() => 'left');
  await until(async () => (await metric('inlay_queue_rows')) === 1);
  leaving.abort();
  // 1: CANCELLED
  expect(['left', 1]).toContain(await second);
  // The server, which is of this process, hears of it in the next turns of the event loop.
  await Bun.sleep(100);
  gate.open();
  expect((await first).status).toBe(200);
  await until(async () => (await metric('inlay_rejected_total{reason="client_gone"}')) === gone + 1);
  expect(gate.runs).toBe(runs + 1);
});

test('a body that trickles is cut off, with an answer', async () => {
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  let said = '';
  socket.on('data', (data) => {
    said += data.toString();
  });
  const end = new Promise((resolve) => socket.on('close', resolve));
  socket.write('POST /v2/models/iris/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"inputs"');
  const trickle = setInterval(() => socket.write(' '), 50);
  await end.finally(() => clearInterval(trickle));
  expect(said).toStartWith('HTTP/1.1 408');
  expect(said).toContain('{"error":"the body did not come');
});
