import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { disableTelemetry } from './telemetry.ts';

/** ONNX Runtime's session options (its C API's names), as far as they are used. */
export interface SessionOptions {
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: number;
  readonly logSeverityLevel: number;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** A session of the native binding: it blocks the thread that calls it. */
export interface NativeSession {
  loadModel(path: string, options: SessionOptions): void;
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: SessionOptions): void;
  readonly inputMetadata: readonly { readonly name: string }[];
  readonly outputMetadata: readonly { readonly name: string }[];
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Readonly<Record<string, OrtTensor>>;
  dispose(): void;
}

export interface Ort {
  readonly NativeSession: new () => NativeSession;
  readonly Tensor: typeof import('onnxruntime-node').Tensor;
}

let loaded: Promise<Ort> | undefined;

/**
 * Loads ONNX Runtime, with its telemetry off. What comes back is the native binding below onnxruntime-node's
 * InferenceSession: the class above it waits a turn of the event loop in each run, which costs a batching server a tenth
 * of its throughput. The package is pinned to one version, so what lies behind its door is known.
 */
export function loadOrt(): Promise<Ort> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Ort> {
  disableTelemetry();
  const { binding, initOrt } = (await import('onnxruntime-node/dist/binding.js')) as {
    binding: { InferenceSession: new () => NativeSession };
    initOrt: () => void;
  };
  const { Tensor } = await import('onnxruntime-node');
  initOrt();
  return { NativeSession: binding.InferenceSession, Tensor };
}
