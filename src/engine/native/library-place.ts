import { InlayError, isInlayError } from '../../error/index.ts';

/** The folder of the package onnxruntime-node, with the files of this platform at least. */
let place: string | undefined;
let source: (() => Promise<string>) | undefined;

/**
 * Says where ONNX Runtime comes from where it lies in no node_modules beside inlay: an installed inlay has it in its cache, an image
 * and a checkout beside them.
 * @param find gives the folder of onnxruntime-node; asked once, when the first model is loaded
 */
export function onnxRuntimeFrom(find: () => Promise<string>): void {
  source = find;
}

/** Where it lies. Threads are told it by the one that starts them. @throws RUNTIME_UNAVAILABLE, and whatever the source throws */
export async function findOnnxRuntime(): Promise<string> {
  place ??= beside();
  if (place !== undefined) return place;
  if (source === undefined)
    throw new InlayError('RUNTIME_UNAVAILABLE', 'there is no ONNX Runtime beside inlay', {
      hint: 'In a program of your own: onnxRuntimeFrom(() => installOnnxRuntime(…)), or install onnxruntime-node (docs/api.md).',
    });
  place = await source();
  return place;
}

/** For a thread: what findOnnxRuntime() said in the one that started it. */
export function onnxRuntimeIsIn(folder: string): void {
  place = folder;
}

/** The folder, once it was found. */
export function onnxRuntimePlace(): string {
  if (place === undefined) throw new InlayError('RUNTIME_UNAVAILABLE', 'ONNX Runtime has not been looked for');
  return place;
}

/** An error that is about the library's place and not about the model. */
export function isAboutPlace(error: unknown): boolean {
  return isInlayError(error) && (error.code === 'RUNTIME_UNAVAILABLE' || error.code === 'INTEGRITY_MISMATCH');
}

function beside(): string | undefined {
  try {
    return Bun.resolveSync('onnxruntime-node/package.json', import.meta.dir).replace(/\/package\.json$/, '');
  } catch {
    return undefined;
  }
}
