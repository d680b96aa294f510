import { extract, type Header } from 'tar-stream';
import { InlayError } from '../../error/index.ts';

export interface ReadEntry {
  readonly header: Header;
  /** Its bytes; those that nobody reads are skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * The entries of a tar, one after the other as it comes. Who stops early closes the source.
 * @throws IMAGE_INVALID when it is no tar; what the source throws
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry> {
  const tar = extract();
  let failure: { readonly error: unknown } | undefined;
  const feeding = feed(source, tar).catch((error) => {
    failure = { error };
    tar.destroy(error);
  });
  try {
    for await (const entry of tar) {
      yield { header: entry.header, content: entry as AsyncIterable<Uint8Array> };
      entry.resume();
    }
    await feeding;
    if (failure) throw failure.error;
  } catch (cause) {
    if (failure) throw failure.error;
    if (cause instanceof InlayError) throw cause;
    throw new InlayError('IMAGE_INVALID', `a layer is no tar: ${(cause as Error).message}`, { cause });
  } finally {
    tar.destroy();
  }
}

async function feed(source: AsyncIterable<Uint8Array>, tar: ReturnType<typeof extract>): Promise<void> {
  for await (const chunk of source) {
    if (tar.destroyed) return;
    if (!tar.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await drained(tar);
  }
  tar.end(undefined);
}

/** Until more can be written, or nobody reads any more. */
function drained(tar: ReturnType<typeof extract>): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      tar.off('drain', go).off('close', go);
      resolve();
    };
    tar.on('drain', go).on('close', go);
  });
}

/**
 * The bytes of one file of a tar, which is read no further; undefined where the tar has no such file.
 * @param path as the tar has it, `./` before it aside @param limitBytes a longer file is refused
 * @throws IMAGE_INVALID; what the source throws
 */
export async function readTarFile(
  source: AsyncIterable<Uint8Array>,
  path: string,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  for await (const { header, content } of readTar(source)) {
    if (header.type !== 'file' || header.name.replace(/^\.\//, '') !== path) continue;
    if ((header.size ?? 0) > limitBytes)
      throw new InlayError('IMAGE_INVALID', `${path} has ${header.size} bytes, too many for what it is`);
    return Buffer.concat(await Array.fromAsync(content));
  }
  return undefined;
}
