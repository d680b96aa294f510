import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import {
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelInferResponse,
  ModelInferResponseSchema,
} from '../../../src/server/oip/grpc/gen/inference_pb.ts';
import type { Figure } from '../figure.ts';
import { loadWithH2load } from '../h2load.ts';
import { median, pairedRatio } from '../median.ts';
import type { BenchModel } from '../models/model-dir.ts';
import type { Peer } from '../peer.ts';
import { type PeerId, preparePeers } from '../peers.ts';
import { type FigureResult, judge } from '../result.ts';
import { interleave } from '../rounds.ts';
import { freePort } from '../server-process.ts';
import { withServer } from '../with-server.ts';
import type { Load } from '../wrk.ts';

const PATH = '/inference.GRPCInferenceService/ModelInfer';
const CONNECTIONS = 8;
const STREAMS = 4;
const LIMIT = 3;
/** The variable that takes the port of gRPC. */
const PEERS: Partial<Record<PeerId, string>> = { inlay: 'GRPC_PORT', mlserver: 'MLSERVER_GRPC_PORT' };

/** ModelInfer of one row in raw contents, as tritonclient sends it. */
export const grpc: Figure = {
  id: 'grpc',
  title: `gRPC ModelInfer, iris, ${CONNECTIONS} connections with ${STREAMS} calls each, one core`,
  async run({ quick, rounds, iris, without, onProgress }): Promise<FigureResult> {
    const wanted = (Object.keys(PEERS) as PeerId[]).filter((id) => !without.includes(id));
    const prepared = await preparePeers(wanted, iris);
    const request = requestOf(iris);
    const load = { path: PATH, message: toBinary(ModelInferRequestSchema, request), connections: CONNECTIONS };
    const measured = await interleave<Load>(
      rounds,
      Object.fromEntries(
        prepared.peers.map((peer) => [
          peer.name,
          () => {
            const port = freePort();
            return withServer(onGrpcPort(peer, PEERS[peer.name as PeerId] as string, port), async (server) => {
              await verify(port, request, iris);
              const run = { ...load, port, streams: STREAMS };
              await loadWithH2load(server, { ...run, seconds: quick ? 1 : 3 });
              const found = await loadWithH2load(server, { ...run, seconds: quick ? 2 : 6 });
              // The generator sees HTTP's status only: a call that failed has 200 too.
              await verify(port, request, iris);
              return found;
            });
          },
        ]),
      ),
      onProgress,
    );
    const loads = (name: string) => measured.values.get(name) ?? [];
    const perCpuSecond = (one: Load) => one.requests / one.serverCpuSeconds;
    const missing = [...prepared.missing, ...measured.failures];
    const target = {
      what: 'calls per CPU second against mlserver',
      sense: 'at least',
      limit: LIMIT,
      unit: 'x',
    } as const;
    const both = wanted.length === 2 && missing.length === 0;
    return {
      table: {
        columns: [
          { name: 'calls/s', decimals: 0 },
          { name: 'calls/CPU s', decimals: 0 },
          { name: 'core used', decimals: 2 },
          { name: 'h2load core used', decimals: 2 },
          { name: 'failed', decimals: 0 },
        ],
        rows: wanted.map((name) => {
          if (missing.some((one) => one.name === name)) return { name, values: { 'calls/s': 'not measured' } };
          const of = (value: (one: Load) => number) => median(loads(name).map(value));
          return {
            name,
            values: {
              'calls/s': of((one) => one.requests / one.seconds),
              'calls/CPU s': of(perCpuSecond),
              'core used': of((one) => one.serverCoreUse),
              'h2load core used': of((one) => one.generatorCoreUse),
              failed: loads(name).reduce((sum, one) => sum + one.failed, 0),
            },
          };
        }),
      },
      targets: [
        judge(
          target,
          both ? pairedRatio(loads('inlay').map(perCpuSecond), loads('mlserver').map(perCpuSecond)) : undefined,
        ),
      ],
      notes: missing.map(({ name, reason }) => `${name} is not measured: ${reason}`),
    };
  },
};

function onGrpcPort(peer: Peer, variable: string, grpcPort: number): Peer {
  return {
    ...peer,
    listen: (port) => {
      const { env, ...more } = peer.listen(port);
      return { ...more, env: { ...env, [variable]: String(grpcPort) } };
    },
  };
}

function requestOf({ input, sample, output }: BenchModel): ModelInferRequest {
  const row = Float32Array.from((sample as number[][]).flat());
  return create(ModelInferRequestSchema, {
    modelName: 'iris',
    inputs: [{ name: input, datatype: 'FP32', shape: [1n, BigInt(row.length)] }],
    outputs: [{ name: output }],
    rawInputContents: [new Uint8Array(row.buffer)],
  });
}

/** @throws when the answer is another than ONNX Runtime's own */
async function verify(port: number, request: ModelInferRequest, model: BenchModel): Promise<void> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const response = await new Promise<ModelInferResponse>((resolve, reject) =>
    client.makeUnaryRequest(
      PATH,
      (message: ModelInferRequest) => Buffer.from(toBinary(ModelInferRequestSchema, message)),
      (bytes) => fromBinary(ModelInferResponseSchema, bytes),
      request,
      (error, answer) => (error || !answer ? reject(error) : resolve(answer)),
    ),
  ).finally(() => client.close());
  const [raw] = response.rawOutputContents;
  const [output] = response.outputs;
  const found = raw ? [...new Float32Array(new Uint8Array(raw).buffer)] : (output?.contents?.fp32Contents ?? []);
  if (!model.expected.every((value, column) => Math.abs(value - (found[column] ?? Number.NaN)) < 1e-5))
    throw new Error(`it answers ${found}, not ${model.expected}`);
}
