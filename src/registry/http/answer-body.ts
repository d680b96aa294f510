import { bodyOf } from './transport.ts';

const ERROR_LIMIT = 64 * 1024;

/**
 * An answer's body, at most `limit` bytes of it; undefined when it is longer. What comes from a registry never fills the memory.
 * @throws NetworkFailure
 */
export async function readBody(
  response: Response,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(response, signal)) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The text of an error answer; empty when it cannot be read. */
export async function readErrorText(response: Response): Promise<string> {
  try {
    const bytes = await readBody(response, ERROR_LIMIT);
    return bytes === undefined ? '' : new TextDecoder().decode(bytes);
  } catch {
    return '';
  }
}

/** Reads away a body that nobody wants, so that the connection can be used again; a long one is cut off. */
export async function discard(response: Response): Promise<void> {
  await readErrorText(response);
}
