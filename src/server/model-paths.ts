import { isAbsolute, join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { Environment } from './settings.ts';

/** Where the model lies; paths are absolute. */
export interface ModelPaths {
  readonly model: string;
  readonly labels: string | undefined;
  /** The folder of the bundled transform. */
  readonly transform: string | undefined;
}

/**
 * Where MODEL_FILEPATH, LABEL_FILEPATH and TRANSFORM_DIR point; relative paths count from PROJECT_DIR, or else from `cwd`.
 * @throws ENVIRONMENT_INVALID when there is no MODEL_FILEPATH
 */
export function readModelPaths(env: Environment, cwd: string): ModelPaths & { readonly projectDir: string } {
  const from = env.PROJECT_DIR ? absolute(env.PROJECT_DIR, cwd) : cwd;
  if (!env.MODEL_FILEPATH)
    throw new InlayError('ENVIRONMENT_INVALID', 'MODEL_FILEPATH is not set', {
      hint: 'Set it to the ONNX file to serve.',
    });
  return {
    projectDir: from,
    model: absolute(env.MODEL_FILEPATH, from),
    labels: env.LABEL_FILEPATH ? absolute(env.LABEL_FILEPATH, from) : undefined,
    transform: env.TRANSFORM_DIR ? absolute(env.TRANSFORM_DIR, from) : undefined,
  };
}

function absolute(path: string, from: string): string {
  return isAbsolute(path) ? path : join(from, path);
}
