import type { Answers, Feeds } from '../session.ts';
import { CModel } from './c-model.ts';
import { findOnnxRuntime } from './library-place.ts';

/** ONNX Runtime's session options (its C API's names), as far as they are used. */
export interface NativeOptions {
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: number;
  /** `session.…` keys of onnxruntime_session_options_config_keys.h. */
  readonly config: Readonly<Record<string, string>>;
}

/** A model in ONNX Runtime: it blocks the thread that calls it, and throws Error with ONNX Runtime's own words. */
export interface NativeModel {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** @param names outputs to compute. What comes back is the caller's own memory. */
  run(feeds: Feeds, names: readonly string[]): Answers;
  /** Frees it. It must not be used afterwards. */
  close(): void;
}

/**
 * Loads a model: on Linux, where images run, through ONNX Runtime's C API, elsewhere through onnxruntime-node's binding. Both are
 * the very same library.
 * @param model a file, or what stands in it
 */
export async function openNative(model: string | Uint8Array, options: NativeOptions): Promise<NativeModel> {
  await findOnnxRuntime();
  if (process.platform === 'linux') return new CModel(model, options);
  const { openNodeModel } = await import('./node-model.ts');
  return openNodeModel(model, options);
}
