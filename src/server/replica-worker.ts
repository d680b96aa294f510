// The program of a worker thread that serves beside the main thread, on the same port.
import { Engine, openLanes } from '../engine/index.ts';
import { isInlayError } from '../error/index.ts';
import { createLog } from './log.ts';
import type { FromReplica, ToReplica } from './replica-messages.ts';
import { ModelServer } from './server.ts';
import { beat, guardAgainstStrays, openTransformer } from './transform/index.ts';

declare const self: Worker;

let server: ModelServer | undefined;
const hurry = Promise.withResolvers<void>();
const send = (message: FromReplica) => self.postMessage(message);

self.onmessage = async ({ data }: MessageEvent<ToReplica>) => {
  if (data.kind === 'hurry') return hurry.resolve();
  if (data.kind === 'drain') {
    await server?.drain(hurry.promise);
    return send({ kind: 'drained' });
  }
  const { settings, spec, batch, threads, draining, transform } = data;
  try {
    const engine = await Engine.load(spec);
    const lanes = await openLanes(engine);
    const { contract } = spec;
    const log = createLog(settings.logLevel, settings.logFormat, (line) => send({ kind: 'log', line }));
    if (transform) {
      guardAgainstStrays(log);
      beat(transform.beats, transform.thread);
    }
    const transformer = transform && (await openTransformer(transform.dir, engine, settings));
    const print = (line: string) => send({ kind: 'print', line });
    server = new ModelServer({ settings, log, print, draining, sharePort: 'join' });
    await server.serve({ contract, engine, batch, lanes, threads, transformer });
    send({ kind: 'ready' });
  } catch (error) {
    send({
      kind: 'failed',
      code: isInlayError(error) ? error.code : 'MODEL_LOAD_FAILED',
      message: error instanceof Error ? error.message : String(error),
    });
  }
};
