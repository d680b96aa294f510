import { type ErrorCode, InlayError } from '../error/index.ts';
import type { Lane } from './batcher.ts';
import { findOnnxRuntime } from './native/library-place.ts';
import type { Answers, Feeds, SessionSpec } from './session.ts';

/** What goes to the worker: first the model to load, then runs. */
export type WorkerRequest =
  | { readonly kind: 'load'; readonly spec: SessionSpec; readonly onnxRuntime: string }
  | { readonly kind: 'run'; readonly id: number; readonly feeds: Feeds; readonly names: readonly string[] };

export type WorkerReply =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'answers'; readonly id: number; readonly answers: Answers }
  | { readonly kind: 'failed'; readonly id: number | undefined; readonly code: ErrorCode; readonly message: string };

interface Pending {
  readonly resolve: (answers: Answers) => void;
  readonly reject: (error: Error) => void;
}

/** Beside the bundle in an image, among the sources in a checkout. */
const PROGRAM = import.meta.path.endsWith('.ts') ? 'session-worker.ts' : 'session-worker.js';

/** A session on a thread of its own, so that a long run does not keep this thread from answering probes. */
export class WorkerLane implements Lane {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #ended: InlayError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @throws as Session.load */
  static async start(spec: SessionSpec): Promise<WorkerLane> {
    const onnxRuntime = await findOnnxRuntime();
    const worker = new Worker(new URL(PROGRAM, import.meta.url), { name: 'session' });
    const lane = new WorkerLane(worker);
    const loaded = Promise.withResolvers<void>();
    worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
      if (data.kind === 'loaded') loaded.resolve();
      else if (data.kind === 'failed' && data.id === undefined) loaded.reject(new InlayError(data.code, data.message));
      else lane.#settle(data);
    };
    worker.onerror = (event) => {
      const error = new InlayError('MODEL_LOAD_FAILED', `the thread that runs the model ended: ${event.message}`);
      loaded.reject(error);
      lane.#ended = error;
      for (const { reject } of lane.#pending.values()) reject(error);
      lane.#pending.clear();
    };
    worker.postMessage({ kind: 'load', spec, onnxRuntime } satisfies WorkerRequest);
    try {
      await loaded.promise;
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return lane;
  }

  /** Why it cannot run anything any more, once its thread has ended. */
  get ended(): InlayError | undefined {
    return this.#ended;
  }

  run(feeds: Feeds, names: readonly string[]): Promise<Answers> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Answers>();
    this.#pending.set(id, { resolve, reject });
    this.#worker.postMessage({ kind: 'run', id, feeds, names } satisfies WorkerRequest);
    return promise;
  }

  close(): void {
    this.#worker.terminate();
  }

  #settle(reply: Exclude<WorkerReply, { kind: 'loaded' }>): void {
    const pending = reply.id === undefined ? undefined : this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id as number);
    if (reply.kind === 'answers') pending.resolve(reply.answers);
    else pending.reject(new InlayError(reply.code, reply.message));
  }
}
