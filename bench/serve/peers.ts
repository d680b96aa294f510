import { join } from 'node:path';
import { bundleScript } from './install/bundle-script.ts';
import { buildCrate } from './install/cargo.ts';
import { layOutServer } from './install/inlay-files.ts';
import { makeVenv } from './install/venv.ts';
import type { BenchModel } from './models/model-dir.ts';
import { isMissing, type Missing, type Peer } from './peer.ts';
import { BENCH, BUN, ROOT } from './root.ts';
import { freePort } from './server-process.ts';

const PEERS = join(BENCH, 'peers');
const ORT_LIBRARY = join(ROOT, 'node_modules/onnxruntime-node/bin/napi-v6/linux', process.arch, 'libonnxruntime.so.1');

/** ONNX Runtime reports to its maker unless told not to. */
const QUIET = { ORT_DISABLE_TELEMETRY: '1' };

export type PeerId =
  | 'inlay'
  | 'echo'
  | 'rust'
  | 'rust-batching'
  | 'fastapi'
  | 'fastapi-tuned'
  | 'mlserver'
  | 'bentoml'
  | 'shortest'
  | 'bundled shortest';

/** Installs a peer if need be. What cannot be installed is missing, with the reason; it does not stop the others. */
async function preparePeer(id: PeerId, model: BenchModel): Promise<Peer | Missing> {
  try {
    return { ...(await MAKERS[id](model)), name: id };
  } catch (error) {
    return { name: id, reason: (error as Error).message };
  }
}

/** Installs peers one after the other. */
export async function preparePeers(
  ids: readonly PeerId[],
  model: BenchModel,
): Promise<{ readonly peers: readonly Peer[]; readonly missing: readonly Missing[] }> {
  const peers: Peer[] = [];
  const missing: Missing[] = [];
  for (const id of ids) {
    const peer = await preparePeer(id, model);
    if (isMissing(peer)) missing.push(peer);
    else peers.push(peer);
  }
  return { peers, missing };
}

/** @throws when the peer is missing */
export async function requirePeer(id: PeerId, model: BenchModel): Promise<Peer> {
  const peer = await preparePeer(id, model);
  if (isMissing(peer)) throw new Error(`${id} cannot be prepared: ${peer.reason}`);
  return peer;
}

const prediction = (answer: unknown) => [(answer as { prediction: number[] }).prediction].flat(3);

/** What most peers share: PORT and MODEL_FILEPATH from the environment, the body and answer of `/predict`. */
function predictPeer(model: BenchModel, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return {
    command,
    env: { MODEL_FILEPATH: model.cutPath, ...QUIET, ...env },
    listen: (port: number) => ({ env: { PORT: String(port) } }),
    path: '/predict',
    body: JSON.stringify({ data: model.sample }),
    numbers: prediction,
  };
}

async function fastapiPeer(model: BenchModel, app: 'tutorial' | 'tuned', worker: string): Promise<Omit<Peer, 'name'>> {
  const bin = await makeVenv('fastapi', join(PEERS, 'fastapi', 'requirements.txt'));
  const gunicorn = [join(bin, 'gunicorn'), `${app}:app`, '-w', '1', '-k', `uvicorn_worker.${worker}`];
  return {
    ...predictPeer(model, gunicorn, { PYTHONDONTWRITEBYTECODE: '1' }),
    cwd: join(PEERS, 'fastapi'),
    listen: (port) => ({ words: ['-b', `127.0.0.1:${port}`] }),
  };
}

const MAKERS: Readonly<Record<PeerId, (model: BenchModel) => Promise<Omit<Peer, 'name'>>>> = {
  inlay: async (model) => ({
    ...predictPeer(model, [BUN, '--no-env-file', '--no-install', await layOutServer()], {
      // As the image has it: src/image/put-image.ts.
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0',
      MIMALLOC_PURGE_DELAY: '10000',
      BUN_JSC_largeHeapSize: '4194304',
      // And src/image/model-layer.ts, for the 300Mi that a project has which says nothing.
      BUN_JSC_forceRAMSize: String(300 * 2 ** 20),
      HOST: '127.0.0.1',
      GRPC_PORT: '0',
      DRAIN_S: '0',
      PROJECT_DIR: model.dir,
      MODEL_FILEPATH: model.modelPath,
    }),
    cwd: model.dir,
  }),
  echo: async (model) =>
    predictPeer(model, [BUN, '--no-env-file', join(PEERS, 'echo.ts')], {
      ANSWER: JSON.stringify({ prediction: model.expected }),
    }),
  rust: async (model) =>
    predictPeer(model, [join(await buildCrate(join(PEERS, 'rust')), 'unbatched')], { ORT_DYLIB_PATH: ORT_LIBRARY }),
  'rust-batching': async (model) =>
    predictPeer(model, [join(await buildCrate(join(PEERS, 'rust')), 'batching')], { ORT_DYLIB_PATH: ORT_LIBRARY }),
  // As `pip install fastapi gunicorn uvicorn` and a tutorial's `def` give it.
  fastapi: (model) => fastapiPeer(model, 'tutorial', 'UvicornH11Worker'),
  // With uvloop, httptools and an `async def` that need not go through the thread pool.
  'fastapi-tuned': (model) => fastapiPeer(model, 'tuned', 'UvicornWorker'),
  mlserver: async (model) => {
    const bin = await makeVenv('mlserver', join(PEERS, 'mlserver', 'requirements.txt'));
    return {
      ...predictPeer(model, [join(bin, 'mlserver'), 'start', '.'], {
        MLSERVER_MODEL_NAME: 'iris',
        MLSERVER_MODEL_URI: model.cutPath,
        MLSERVER_MODEL_IMPLEMENTATION: 'model.OnnxModel',
        MLSERVER_HOST: '127.0.0.1',
        PYTHONPATH: join(PEERS, 'mlserver'),
        PYTHONDONTWRITEBYTECODE: '1',
      }),
      cwd: join(PEERS, 'mlserver'),
      listen: (port) => ({
        env: {
          MLSERVER_HTTP_PORT: String(port),
          MLSERVER_GRPC_PORT: String(freePort()),
          MLSERVER_METRICS_PORT: String(freePort()),
        },
      }),
      path: '/v2/models/iris/infer',
      body: JSON.stringify({
        inputs: [{ name: model.input, shape: [1, 4], datatype: 'FP32', data: [model.sample].flat(3) }],
      }),
      numbers: (answer) => (answer as { outputs: [{ data: number[] }] }).outputs[0].data,
    };
  },
  bentoml: async (model) => {
    const bin = await makeVenv('bentoml', join(PEERS, 'bentoml', 'requirements.txt'));
    return {
      ...predictPeer(model, [join(bin, 'bentoml'), 'serve', 'service:Iris', '--host', '127.0.0.1'], {
        BENTOML_DO_NOT_TRACK: 'True',
        PYTHONDONTWRITEBYTECODE: '1',
      }),
      cwd: join(PEERS, 'bentoml'),
      listen: (port) => ({ words: ['--port', String(port)] }),
    };
  },
  shortest: async (model) => predictPeer(model, [BUN, '--no-env-file', join(PEERS, 'shortest.ts')]),
  'bundled shortest': async (model) =>
    predictPeer(model, [BUN, '--no-env-file', '--no-install', await bundleScript('shortest')]),
};
