// The program of a worker thread that serves beside the main thread, on the same port.
import { Engine, onnxRuntimeIsIn, openLanes } from '../engine/index.ts';
import { isInlayError } from '../error/index.ts';
import { createLog } from './log.ts';
import { MainSink } from './prediction-log/index.ts';
import type { FromReplica, ToReplica } from './replica-messages.ts';
import { ModelServer } from './server.ts';
import { startTransform } from './transform/index.ts';

declare const self: Worker;

let server: ModelServer | undefined;
let sink: MainSink | undefined;
const hurry = Promise.withResolvers<void>();
const send = (message: FromReplica) => self.postMessage(message);

self.onmessage = async ({ data }: MessageEvent<ToReplica>) => {
  if (data.kind === 'hurry') return hurry.resolve();
  if (data.kind === 'logged') return sink?.written(data.written);
  if (data.kind === 'proven') return server?.proven(data.batch);
  if (data.kind === 'drain') {
    await server?.drain(hurry.promise);
    await server?.flushed();
    return send({ kind: 'drained' });
  }
  const { settings, spec, threads, draining, pulses, own, transform } = data;
  try {
    onnxRuntimeIsIn(data.onnxRuntime);
    const engine = await Engine.load(spec);
    const lanes = await openLanes(engine);
    const { contract } = spec;
    const log = createLog(settings.logLevel, settings.logFormat, (line) => send({ kind: 'log', line }));
    // The first thread has replayed the golden cases.
    const starting = { engine, golden: undefined, settings, log };
    const transformer = transform === undefined ? undefined : await startTransform({ dir: transform, ...starting });
    const predictionSink = settings.predictionLog === undefined ? undefined : new MainSink(send);
    sink = predictionSink;
    server = new ModelServer({ settings, log, predictionSink, draining, thread: { pulses, own }, sharePort: 'join' });
    await server.serve({ contract, engine, lanes, threads, transformer });
    send({ kind: 'ready' });
  } catch (error) {
    send({
      kind: 'failed',
      code: isInlayError(error) ? error.code : 'MODEL_LOAD_FAILED',
      message: error instanceof Error ? error.message : String(error),
    });
  }
};
