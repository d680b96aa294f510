import { type Contract, exceeds, type Golden, modelBytes, quantityBytes } from '../contract/index.ts';
import {
  type BatchProof,
  cpuLimit,
  type Engine,
  goldenMismatch,
  type Lanes,
  loadForServing,
  openLanes,
  proveBatch,
  releaseCodePages,
  replayGolden,
  threadsFor,
} from '../engine/index.ts';
import { isInlayError } from '../error/index.ts';
import { ConnectionRoom } from './connection-room.ts';
import { createLog, type Log } from './log.ts';
import { openGrpc } from './open-grpc.ts';
import { openPredictionSink } from './prediction-log/index.ts';
import { Replicas } from './replicas.ts';
import { ModelServer } from './server.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { startTransform, startWatchdog } from './transform/index.ts';

export interface RunServerOptions {
  readonly settings: Settings;
  readonly modelPath: string;
  /** Called once the server listens: what is served, and the golden cases that prove it, if there are any. */
  readonly open: () => Promise<{
    readonly contract: Contract;
    readonly golden: Golden | undefined;
    /** The folder of the bundled transform, where the contract has one. */
    readonly transform: string | undefined;
  }>;
  /** Takes whole log lines. */
  readonly write: (line: string) => void;
  /** Takes the line that tells the URL once requests are answered, for stdout. */
  readonly announce: (line: string) => void;
  /** The file descriptor of stdout, for a prediction log that goes there. */
  readonly stdout: number;
}

/**
 * Serves a model until SIGTERM or SIGINT, and returns the exit code: 0 after a drain, 1 when the model cannot be served.
 * A second signal ends the drain's wait.
 * @throws PORT_IN_USE, ENVIRONMENT_INVALID
 */
export async function runServer(options: RunServerOptions): Promise<number> {
  const { settings } = options;
  const log = createLog(settings.logLevel, settings.logFormat, options.write);
  const started = performance.now();
  const signals = watchSignals(log);
  const cpus = cpuLimit();
  const draining = sharedNumbers(2);
  const pulses = sharedNumbers(threadsFor(cpus));
  const predictionSink = openPredictionSink(settings, options.stdout, log);
  if (settings.maxHeaderBytes !== DEFAULT_SETTINGS.maxHeaderBytes) await limitHeaders(settings.maxHeaderBytes);
  const server = new ModelServer({
    settings,
    log,
    predictionSink,
    draining,
    thread: { pulses, own: 0 },
    sharePort: threadsFor(cpus) > 1 ? 'first' : undefined,
  });
  const room = new ConnectionRoom({ maxConnections: settings.maxConnections, log, metrics: server.metrics });
  const grpc = await openBeside(server, () => openGrpc(server, settings, log));
  let lanes: Lanes;
  let replicas: Replicas | undefined;
  try {
    const { contract, golden, transform: dir } = await options.open();
    const engine = await loadForServing({ contract, modelPath: options.modelPath }, threadsFor(cpus));
    const replayed = golden && (await proveAnswers(engine, golden, contract, log));
    const transformer = dir === undefined ? undefined : await startTransform({ dir, engine, golden, settings, log });
    const known = [...(golden?.cases.map((one) => one.inputs) ?? []), engine.sample()];
    const prove = () => proveBatch(engine, contract, known, true);
    const batch = engine.runMs > QUICK_RUN_MS ? await prove() : undefined;
    lanes = await openLanes(engine);
    const count = replicaCount(contract, cpus, lanes);
    if (count > 0)
      replicas = await Replicas.start({
        settings: { ...settings, port: server.port },
        spec: engine.spec,
        count,
        write: options.write,
        predictionSink,
        draining,
        pulses,
        transform: dir,
      });
    const proven = (batch: BatchProof) => {
      server.proven(batch);
      replicas?.proven(batch);
      log.info('rows of several requests', { batch: batch.state, maxRows: batch.maxRows });
    };
    const unproven = (error: Error) =>
      log.warning(`rows of several requests are run alone: ${error.message}`, { batch: 'off' });
    await server.serve({ contract, engine, batch, lanes, threads: 1 + count, transformer });
    if (transformer) startWatchdog(pulses, 2 * settings.livenessTimeoutMs);
    grpc?.readinessChanged();
    log.info('serving', {
      model: contract.name,
      version: contract.version,
      digest: contract.model.digest,
      cpus,
      threads: engine.spec.threads,
      servingThreads: 1 + count,
      grpcPort: grpc?.port,
      runMs: Number(engine.runMs.toPrecision(3)),
      mode: lanes.mode,
      goldenRows: replayed,
      startedInMs: Math.round(performance.now() - started),
    });
    options.announce(`inlay serves ${contract.name} ${contract.version} at ${server.url}\n`);
    if (batch) proven(batch);
    setTimeout(() => {
      // An image's program starts with a JIT that waits (image/compiled-program.ts): from now on code runs often.
      Bun.unsafe.setJITPolicy(1);
      // The first requests come first: until it is proven that rows may be run together, they are run alone.
      if (!batch) prove().then(proven, unproven);
    }, STARTED_MS).unref();
    setTimeout(releaseCodePages, SETTLED_MS).unref();
  } catch (error) {
    log.error((error as Error).message, isInlayError(error) ? { code: error.code, hint: error.hint } : {});
    await Promise.all([server.close(), grpc?.close(0)]);
    return 1;
  }
  await signals.first;
  await Promise.all([
    server.drain(signals.second),
    grpc?.drain(server.untilQuiet(() => grpc.connections, signals.second)),
    replicas?.drain(signals.second),
  ]);
  await server.flushed();
  await predictionSink?.close();
  room.close();
  lanes.close();
  log.info('stopped');
  return 0;
}

/** With longer runs the proof would keep requests waiting: then it belongs to the start, ms. */
const QUICK_RUN_MS = 0.05;
/** By then the first requests, those of probes among them, are answered, ms. */
const STARTED_MS = 20;
/** By then the start is over: what it needed can go. */
const SETTLED_MS = 1000;

/** Bun's limit of a request's head is set through node:http, for all threads; loading that takes 20 ms. */
async function limitHeaders(bytes: number): Promise<void> {
  Object.assign((await import('node:http')).default, { maxHeaderSize: bytes });
}

/** Zeroes that all threads see. */
function sharedNumbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * count));
}

/** Opens what serves beside a server; when that fails, the server is closed too. */
async function openBeside<T>(server: ModelServer, open: () => T): Promise<T> {
  try {
    return open();
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** What a thread that serves takes beside the model, bytes: measured. */
const REPLICA_BYTES = 30e6;
const FIRST_BYTES = 120e6;

/**
 * How many threads serve beside the main one: as many as CPUs are left, and as memory allows. A model with a thread of
 * its own uses the CPUs by itself.
 */
function replicaCount(contract: Contract, cpus: number, lanes: Lanes): number {
  if (lanes.mode !== 'inline') return 0;
  const model = 2 * modelBytes(contract.model);
  const left = quantityBytes(contract.server.memory) - FIRST_BYTES - model;
  return Math.max(0, Math.min(threadsFor(cpus) - 1, Math.floor(left / (REPLICA_BYTES + model))));
}

/**
 * Replays the golden cases on this machine's CPU, before any traffic. Returns how many rows were compared.
 * @throws GOLDEN_MISMATCH, unless it was accepted when the image was built
 */
async function proveAnswers(engine: Engine, golden: Golden, contract: Contract, log: Log): Promise<number> {
  const { rows, worst } = await replayGolden(engine, golden, true);
  if (worst && exceeds(worst)) {
    const mismatch = goldenMismatch(worst, contract.golden?.file ?? 'golden.json', golden.casts);
    if (!contract.accepted?.includes(mismatch.code)) throw mismatch;
    log.warning(mismatch.message, { code: mismatch.code, accepted: true });
  }
  return rows;
}

function watchSignals(log: Log): { first: Promise<void>; second: Promise<void> } {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let seen = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      seen++;
      log.info(seen === 1 ? 'draining' : 'draining ends early', { signal });
      (seen === 1 ? first : second).resolve();
    });
  }
  return { first: first.promise, second: second.promise };
}
