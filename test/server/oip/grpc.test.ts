import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { create, type DescService, fromBinary, type Message } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createLog, DEFAULT_SETTINGS, ModelServer, openGrpc, type Settings } from '../../../src/server/index.ts';
import { Health, HealthCheckRequestSchema } from '../../../src/server/oip/grpc/gen/grpc/health/v1/health_pb.ts';
import {
  ServerReflection,
  ServerReflectionRequestSchema,
} from '../../../src/server/oip/grpc/gen/grpc/reflection/v1/reflection_pb.ts';
import { GRPCInferenceService, type ModelInferResponse } from '../../../src/server/oip/grpc/gen/inference_pb.ts';
import { definitionOf } from '../../../src/server/oip/grpc/methods.ts';
import { SETOSA, serveReference } from '../serving.ts';
import { everyType, serveModel, TYPES } from './every-type.ts';

type Served = { readonly server: Awaited<ReturnType<typeof serveReference>>['server'] };
const LIMIT = 100_000;

let iris: Awaited<ReturnType<typeof serveReference>>;
let types: Awaited<ReturnType<typeof serveModel>>;
let irisGrpc: ReturnType<typeof beside>;
let typesGrpc: ReturnType<typeof beside>;

const SILENT = createLog('ERROR', 'TEXT', () => {});

/** A gRPC listener beside an HTTP server, and a client of it. */
function beside({ server }: Served, more: Partial<Settings> = {}, log = SILENT) {
  const settings = {
    ...DEFAULT_SETTINGS,
    host: '127.0.0.1',
    grpc: { port: 0, asked: true },
    maxBodyBytes: LIMIT,
    ...more,
  };
  const listener = openGrpc(server, settings, log);
  if (!listener) throw new Error('no listener');
  return { listener, client: clientOf(listener.port) };
}

function clientOf(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure());
}

/** Calls a unary method; an answer, or the status and what it says. */
function call(client: Client, service: DescService, name: string, request: object): Promise<Message | ServiceError> {
  const method = definitionOf(service)[name];
  const desc = service.methods.find(({ localName }) => localName === name);
  if (!method || !desc) throw new Error(name);
  const message = create(desc.input, request as never);
  return new Promise((resolve) =>
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      (error, answer) => resolve(error ?? (answer as Message)),
    ),
  );
}
const inference = (client: Client, name: string, request: object = {}) =>
  call(client, GRPCInferenceService, name, request) as Promise<never>;

const row = [5.1, 3.5, 1.4, 0.2];
const irisInput = (more: object = {}) => ({ name: 'float_input', datatype: 'FP32', shape: [1n, 4n], ...more });
const typed = irisInput({ contents: { fp32Contents: row } });
const raw = new Uint8Array(Float32Array.from(row).buffer);

beforeAll(async () => {
  iris = await serveReference();
  types = await serveModel(everyType());
  irisGrpc = beside(iris);
  typesGrpc = beside(types);
});
afterAll(async () => {
  for (const { client, listener } of [irisGrpc, typesGrpc]) {
    client.close();
    await listener.close(0);
  }
  await iris.server.close();
  await iris.engine.close();
  await types.close();
});

test('the server and its model tell what they are', async () => {
  const { client } = irisGrpc;
  expect(await inference(client, 'serverLive')).toMatchObject({ live: true });
  expect(await inference(client, 'serverReady')).toMatchObject({ ready: true });
  expect(await inference(client, 'modelReady', { name: 'iris', version: '0.0.1' })).toMatchObject({ ready: true });
  expect(await inference(client, 'serverMetadata')).toMatchObject({
    name: 'inlay',
    extensions: ['binary_tensor_data'],
  });
  expect(await inference(client, 'modelMetadata', { name: 'iris' })).toMatchObject({
    name: 'iris',
    versions: ['0.0.1'],
    platform: 'onnx_onnxv1',
    inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1n, 4n] }],
    outputs: [
      { name: 'output_label', datatype: 'INT64', shape: [-1n] },
      { name: 'output_probability', datatype: 'FP32', shape: [-1n, 3n] },
    ],
  });
});

test('typed contents are answered typed, raw ones raw', async () => {
  const asTyped: ModelInferResponse = await inference(irisGrpc.client, 'modelInfer', {
    modelName: 'iris',
    id: '7',
    inputs: [typed],
  });
  expect([asTyped.modelName, asTyped.modelVersion, asTyped.id]).toEqual(['iris', '0.0.1', '7']);
  expect(asTyped.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['output_label', [1n]],
    ['output_probability', [1n, 3n]],
  ]);
  expect(asTyped.outputs[0]?.contents?.int64Contents).toEqual([0n]);
  expect(asTyped.outputs[1]?.contents?.fp32Contents).toEqual(SETOSA);
  const asRaw: ModelInferResponse = await inference(irisGrpc.client, 'modelInfer', {
    modelName: 'iris',
    inputs: [irisInput()],
    outputs: [{ name: 'output_probability' }],
    rawInputContents: [raw],
  });
  expect(asRaw.outputs.map(({ contents }) => contents)).toEqual([undefined]);
  const [bytes] = asRaw.rawOutputContents as [Uint8Array];
  expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual(SETOSA);
});

test('every datatype goes in and comes out, typed where it has a type', async () => {
  const contents: Record<string, object> = {
    BOOL: { boolContents: [true, false] },
    INT8: { intContents: [-128, 127] },
    INT16: { intContents: [-32768, 32767] },
    INT32: { intContents: [-2147483648, 2147483647] },
    INT64: { int64Contents: [-(2n ** 63n), 2n ** 63n - 1n] },
    UINT8: { uintContents: [0, 255] },
    UINT16: { uintContents: [0, 65535] },
    UINT32: { uintContents: [0, 4294967295] },
    UINT64: { uint64Contents: [0n, 2n ** 64n - 1n] },
    FP32: { fp32Contents: [0.25, -1.5] },
    FP64: { fp64Contents: [0.1, -1e300] },
    BYTES: { bytesContents: [new Uint8Array(), new TextEncoder().encode('Zürich')] },
  };
  const halves = await serveModel(everyType(Object.keys(contents) as typeof TYPES));
  const { client, listener } = beside(halves);
  const answer: ModelInferResponse = await inference(client, 'modelInfer', {
    modelName: 'types',
    inputs: Object.entries(contents).map(([datatype, given]) => ({
      name: `in_${datatype}`,
      datatype,
      shape: [1n, 2n],
      contents: given,
    })),
  });
  for (const { datatype, contents: came } of answer.outputs)
    expect([datatype, came]).toEqual([datatype, expect.objectContaining(contents[datatype] as object)]);
  expect(answer.outputs.length).toBe(12);
  client.close();
  await listener.close(0);
  await halves.close();
});

test.each([
  ['another model', { modelName: 'other', inputs: [typed] }, status.NOT_FOUND],
  ['another version', { modelName: 'iris', modelVersion: '9', inputs: [typed] }, status.NOT_FOUND],
  ['no inputs', { modelName: 'iris' }, status.INVALID_ARGUMENT],
  ['no contents', { modelName: 'iris', inputs: [irisInput()] }, status.INVALID_ARGUMENT],
  ['both contents', { modelName: 'iris', inputs: [typed], rawInputContents: [raw] }, status.INVALID_ARGUMENT],
  ['too many raw', { modelName: 'iris', inputs: [irisInput()], rawInputContents: [raw, raw] }, status.INVALID_ARGUMENT],
  [
    'few bytes',
    { modelName: 'iris', inputs: [irisInput()], rawInputContents: [raw.slice(1)] },
    status.INVALID_ARGUMENT,
  ],
  ['a negative shape', { modelName: 'iris', inputs: [{ ...typed, shape: [-1n, 4n] }] }, status.INVALID_ARGUMENT],
  ['a huge shape', { modelName: 'iris', inputs: [{ ...typed, shape: [2n ** 62n, 4n] }] }, status.INVALID_ARGUMENT],
  ['another output', { modelName: 'iris', inputs: [typed], outputs: [{ name: 'x' }] }, status.INVALID_ARGUMENT],
  ['a large message', { modelName: 'iris', id: 'x'.repeat(LIMIT), inputs: [typed] }, status.RESOURCE_EXHAUSTED],
])('%s is refused by its status', async (_, request, code) => {
  expect(await inference(irisGrpc.client, 'modelInfer', request)).toMatchObject({
    code,
    details: expect.stringMatching(/\w/),
  });
});

test('old connections get a GOAWAY, and no call fails for it; the access log names peer, method and trace', async () => {
  const lines: string[] = [];
  const log = createLog('INFO', 'TEXT', (line) => void lines.push(line));
  const { client, listener } = beside(iris, { maxConnectionAgeMs: 200, accessLog: true }, log);
  const peers = () => new Set(lines.flatMap((line) => /peer=(\S+)/.exec(line)?.[1] ?? []));
  while (peers().size < 3) {
    expect(await inference(client, 'serverLive')).toMatchObject({ live: true });
    await Bun.sleep(5);
  }
  expect(lines[0]).toContain('method=gRPC route=/inference.GRPCInferenceService/ServerLive status=OK ms=');
  client.close();
  await listener.close(0);
});

test('values that a narrow integer cannot hold are refused', async () => {
  const inputs = TYPES.map((datatype) => ({ name: `in_${datatype}`, datatype, shape: [1n, 2n], contents: {} }));
  const first = { name: 'in_INT8', datatype: 'INT8', shape: [1n, 2n], contents: { intContents: [0, 128] } };
  const request = { modelName: 'types', inputs: [first, ...inputs.filter(({ datatype }) => datatype !== 'INT8')] };
  expect(await inference(typesGrpc.client, 'modelInfer', request)).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining('128'),
  });
});

test('reflection lists the services and describes them', async () => {
  const method = definitionOf(ServerReflection).serverReflectionInfo;
  if (!method) throw new Error('no method');
  for (const version of ['v1', 'v1alpha']) {
    const stream = irisGrpc.client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      method.requestSerialize,
      method.responseDeserialize,
    );
    const ask = async (messageRequest: object) => {
      const answered = new Promise((resolve) => stream.once('data', resolve));
      stream.write(create(ServerReflectionRequestSchema, { messageRequest } as object));
      return (await answered) as { messageResponse: { case: string; value: never } };
    };
    const list = await ask({ case: 'listServices', value: '' });
    const services: { name: string }[] = (list.messageResponse.value as { service: { name: string }[] }).service;
    expect(services.map(({ name }) => name).sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'inference.GRPCInferenceService',
    ]);
    for (const value of ['inference.GRPCInferenceService', 'inference.GRPCInferenceService.ModelInfer']) {
      const file = await ask({ case: 'fileContainingSymbol', value });
      const [bytes] = (file.messageResponse.value as { fileDescriptorProto: [Uint8Array] }).fileDescriptorProto;
      expect(fromBinary(FileDescriptorProtoSchema, bytes).package).toBe('inference');
    }
    expect((await ask({ case: 'fileByFilename', value: 'inference.proto' })).messageResponse.case).toBe(
      'fileDescriptorResponse',
    );
    expect((await ask({ case: 'fileContainingSymbol', value: 'x.Y' })).messageResponse.case).toBe('errorResponse');
    stream.end();
  }
});

test('a connection that speaks no HTTP/2 harms nobody', async () => {
  const { port } = irisGrpc.listener;
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    setTimeout(() => socket.destroy(), 200);
  });
  expect(await inference(irisGrpc.client, 'serverLive')).toMatchObject({ live: true });
});

test('a drain: not serving at once, calls still answered, then the connection is closed', async () => {
  const served = await serveModel(everyType(['FP32']));
  const { client, listener } = beside(served);
  const health = (name: string) => call(client, Health, 'check', { service: name }) as Promise<never>;
  expect(await health('')).toMatchObject({ status: 1 });
  expect(await health('other')).toMatchObject({ code: status.NOT_FOUND });
  const watch = definitionOf(Health).watch;
  if (!watch) throw new Error('no watch');
  const seen: number[] = [];
  const stream = client.makeServerStreamRequest(
    watch.path,
    watch.requestSerialize,
    watch.responseDeserialize,
    create(HealthCheckRequestSchema, { service: '' }),
  );
  const first = new Promise((resolve) => stream.once('data', resolve));
  stream.on('data', (one: { status: number }) => void seen.push(one.status));
  stream.on('error', () => {});
  await first;
  const end = Promise.withResolvers<void>();
  const drained = Promise.all([served.server.drain(end.promise), listener.drain(end.promise)]);
  expect(await health('inference.GRPCInferenceService')).toMatchObject({ status: 2 });
  expect(await inference(client, 'serverReady')).toMatchObject({ ready: false });
  const infer = () =>
    inference(client, 'modelInfer', {
      modelName: 'types',
      inputs: [{ name: 'in_FP32', datatype: 'FP32', shape: [1n, 2n], contents: { fp32Contents: [1, 2] } }],
    });
  expect(await infer()).toMatchObject({ outputs: [{ name: 'out_FP32' }] });
  end.resolve();
  await drained;
  expect(seen).toEqual([1, 2]);
  expect(await infer()).toMatchObject({ code: status.UNAVAILABLE });
  client.close();
  await served.close();
});

test('before there is a model, it is live and not ready', async () => {
  const log = createLog('ERROR', 'TEXT', () => {});
  const server = new ModelServer({ settings: { ...DEFAULT_SETTINGS, host: '127.0.0.1', port: 0 }, log });
  const { client, listener } = beside({ server });
  expect(await inference(client, 'serverLive')).toMatchObject({ live: true });
  expect(await inference(client, 'serverReady')).toMatchObject({ ready: false });
  expect(await inference(client, 'modelInfer', { modelName: 'iris', inputs: [typed] })).toMatchObject({
    code: status.UNAVAILABLE,
  });
  client.close();
  await listener.close(0);
  await server.close();
});
