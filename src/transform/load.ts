import { join } from 'node:path';
import { InlayError } from '../error/index.ts';
import type { Transform } from './api.ts';
import { TRANSFORM_ENTRY } from './bundle-files.ts';

/** A transform that is ready to be called. */
export type LoadedTransform = Pick<Transform, 'preprocess' | 'postprocess'> & {
  /** Media types, lower case. */
  readonly accepts: readonly string[];
};

/** A type and a subtype, which may be all: RFC 9110, 8.3.1 and 12.5.1. */
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/([a-z0-9!#$&^_.+-]+|\*)$/;
/** How long its own loading may take: a file is read, a table is built. */
const LOAD_MS = 30_000;

/**
 * Loads a bundled transform from its folder.
 * @throws TRANSFORM_INVALID when it fails to load, or is no transform
 */
export async function loadTransform(dir: string): Promise<LoadedTransform> {
  const { default: found } = (await within(import(join(dir, TRANSFORM_ENTRY)))) as { readonly default?: unknown };
  if (typeof found !== 'object' || found === null || !('preprocess' in found) || typeof found.preprocess !== 'function')
    throw invalid('it has no default export with a function preprocess');
  if ('postprocess' in found && found.postprocess !== undefined && typeof found.postprocess !== 'function')
    throw invalid('postprocess is no function');
  const transform = found as Transform;
  const accepts = acceptsOf(transform.accepts ?? ['application/json']);
  return {
    accepts,
    // Called as methods: a transform may be an instance of a class.
    preprocess: (request, model) => transform.preprocess(request, model),
    ...(transform.postprocess
      ? { postprocess: (outputs, model, request) => transform.postprocess?.(outputs, model, request) }
      : {}),
  };
}

function acceptsOf(given: unknown): string[] {
  if (!Array.isArray(given) || given.length === 0) throw invalid('accepts is no list of media types');
  return given.map((type: unknown) => {
    const found = typeof type === 'string' ? type.toLowerCase() : '';
    if (!MEDIA_TYPE.test(found)) throw invalid(`accepts has ${JSON.stringify(type)}, which is no media type`);
    return found;
  });
}

async function within<T>(loading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(invalid(`it does not load within ${LOAD_MS / 1000} s`)), LOAD_MS);
  });
  try {
    return await Promise.race([loading, late]);
  } catch (cause) {
    if (cause instanceof InlayError) throw cause;
    throw invalid(`it fails while it is loaded: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  } finally {
    clearTimeout(timer);
  }
}

function invalid(why: string, cause?: unknown): InlayError {
  return new InlayError('TRANSFORM_INVALID', `the transform cannot be used: ${why}`, {
    cause,
    hint: 'Write export default { accepts: [...], preprocess(request, model) { ... } } satisfies Transform.',
  });
}
