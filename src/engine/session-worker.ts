// The program of a worker thread: loads the model that it is told to, then runs what it is sent, one after the other.
import { isInlayError } from '../error/index.ts';
import { onnxRuntimeIsIn } from './native/library-place.ts';
import { Session } from './session.ts';
import type { WorkerReply, WorkerRequest } from './worker-lane.ts';

declare const self: Worker;

let session: Session | undefined;

self.onmessage = async ({ data }: MessageEvent<WorkerRequest>) => {
  const id = data.kind === 'run' ? data.id : undefined;
  try {
    if (data.kind === 'load') {
      onnxRuntimeIsIn(data.onnxRuntime);
      session = await Session.load(data.spec);
      reply({ kind: 'loaded' });
    } else if (session) {
      const answers = session.run(data.feeds, data.names);
      const memory = Object.values(answers).flatMap(({ data: values }) =>
        Array.isArray(values) ? [] : [values.buffer as ArrayBuffer],
      );
      reply({ kind: 'answers', id: data.id, answers }, memory);
    }
  } catch (error) {
    const code = isInlayError(error) ? error.code : 'INPUT_INVALID';
    reply({ kind: 'failed', id, code, message: error instanceof Error ? error.message : String(error) });
  }
};

function reply(message: WorkerReply, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, transfer);
}
