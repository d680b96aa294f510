import { join } from 'node:path';
import { inlayHome } from './home.ts';
import type { Output } from './output.ts';

/** Says where an installed inlay has ONNX Runtime from, once a model is loaded: its cache, and the first time npm's registry. */
export async function offerOnnxRuntime(output: Output): Promise<void> {
  const { onnxRuntimeFrom } = await import('../engine/index.ts');
  onnxRuntimeFrom(async () => {
    const { installOnnxRuntime } = await import('../image/index.ts');
    return installOnnxRuntime({
      cacheDir: join(inlayHome(process.env), 'cache'),
      env: process.env,
      onProgress: ({ step, message }) => output.progress(`${step.padEnd(8)}  ${message}`),
    });
  });
}
