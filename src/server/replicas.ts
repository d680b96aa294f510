import { type BatchProof, type EngineOptions, findOnnxRuntime } from '../engine/index.ts';
import { InlayError } from '../error/index.ts';
import type { LineSink } from './prediction-log/index.ts';
import type { FromReplica, ToReplica } from './replica-messages.ts';
import type { Settings } from './settings.ts';

export interface ReplicasOptions {
  /** With the port that the main thread listens on. */
  readonly settings: Settings;
  readonly spec: EngineOptions;
  readonly count: number;
  /** Takes log lines. */
  readonly write: (line: string) => void;
  /** Where the prediction logs of all go. */
  readonly predictionSink: LineSink | undefined;
  /** Shared memory: see ModelServer. */
  readonly draining: Int32Array;
  /** Shared memory: see Liveness. The main thread's is the first. */
  readonly pulses: Int32Array;
  /** The folder of the bundled transform, where there is one. */
  readonly transform: string | undefined;
}

/** Beside the bundle in an image, among the sources in a checkout. */
const PROGRAM = import.meta.path.endsWith('.ts') ? 'replica-worker.ts' : 'replica-worker.js';

/**
 * Threads that serve the same model on the same port (SO_REUSEPORT): a small model is bound by HTTP, and one thread
 * uses one CPU.
 */
export class Replicas {
  readonly #workers: readonly Replica[];

  private constructor(workers: readonly Replica[]) {
    this.#workers = workers;
  }

  /** @throws as Engine.load and ModelServer */
  static async start(options: ReplicasOptions): Promise<Replicas> {
    const onnxRuntime = await findOnnxRuntime();
    const workers = Array.from({ length: options.count }, () => new Replica(options));
    const { settings, spec, draining, pulses, transform } = options;
    const threads = 1 + options.count;
    const common = { kind: 'serve', settings, spec, onnxRuntime, threads, draining, pulses, transform } as const;
    try {
      await Promise.all(workers.map((worker, i) => worker.serve({ ...common, own: 1 + i })));
    } catch (error) {
      for (const worker of workers) worker.end();
      throw error;
    }
    return new Replicas(workers);
  }

  /** Tells all what was proven of running rows together. */
  proven(batch: BatchProof): void {
    for (const worker of this.#workers) worker.proven(batch);
  }

  /** Drains all, each as the main thread drains. */
  async drain(hurry: Promise<void>): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.drain(hurry)));
    for (const worker of this.#workers) worker.end();
  }
}

class Replica {
  readonly #worker = new Worker(new URL(PROGRAM, import.meta.url), { name: 'replica' });
  readonly #ready = Promise.withResolvers<void>();
  readonly #drained = Promise.withResolvers<void>();

  constructor({ write, predictionSink }: Pick<ReplicasOptions, 'write' | 'predictionSink'>) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromReplica>) => {
      if (data.kind === 'ready') this.#ready.resolve();
      else if (data.kind === 'failed') this.#ready.reject(new InlayError(data.code, data.message));
      else if (data.kind === 'log') write(data.line);
      else if (data.kind === 'predictions')
        predictionSink?.write(data.lines).then((written) => this.#send({ kind: 'logged', written }));
      else this.#drained.resolve();
    };
    this.#worker.onerror = (event) => {
      write(`a serving thread ended: ${event.message}\n`);
      this.#ready.reject(new InlayError('MODEL_LOAD_FAILED', `a serving thread ended: ${event.message}`));
      this.#drained.resolve();
    };
  }

  serve(message: ToReplica): Promise<void> {
    this.#worker.postMessage(message);
    return this.#ready.promise;
  }

  proven(batch: BatchProof): void {
    this.#send({ kind: 'proven', batch });
  }

  async drain(hurry: Promise<void>): Promise<void> {
    this.#send({ kind: 'drain' });
    hurry.then(() => this.#send({ kind: 'hurry' }));
    await this.#drained.promise;
  }

  end(): void {
    this.#worker.terminate();
  }

  #send(message: ToReplica): void {
    this.#worker.postMessage(message);
  }
}
