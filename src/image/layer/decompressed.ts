import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InlayError } from '../../error/index.ts';

/**
 * A layer's tar, whatever it was compressed with. Docker's media types are read too; its foreign layers have no bytes in an image.
 * @throws IMAGE_INVALID for a media type that is no layer's
 */
export function decompressed(source: AsyncIterable<Uint8Array>, mediaType: string): AsyncIterable<Uint8Array> {
  const [, compression = ''] = /\.tar(?:[.+](gzip|zstd))?$/.exec(mediaType) ?? [];
  if (compression === 'gzip') return through(source, createGunzip());
  if (compression === 'zstd') return through(source, createZstdDecompress());
  if (/\.(tar|diff)$/.test(mediaType)) return source;
  throw new InlayError('IMAGE_INVALID', `layers of type ${mediaType} cannot be unpacked`);
}

/** A failure of the source ends what comes out of the pipe, and an early end of the reader closes the source. */
function through(
  source: AsyncIterable<Uint8Array>,
  pipe: NodeJS.ReadWriteStream & Readable,
): AsyncIterable<Uint8Array> {
  const input = Readable.from(source);
  input.on('error', (error) => pipe.destroy(error));
  pipe.on('close', () => input.destroy());
  return input.pipe(pipe);
}
