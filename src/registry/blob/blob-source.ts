import { open } from 'node:fs/promises';
import { InlayError } from '../../error/index.ts';
import type { OciLayout } from '../../image/index.ts';
import type { RequestBody } from '../http/transport.ts';
import { bytesBody } from '../repository.ts';

/** A blob that can be read from any place, as often as an upload needs. */
export interface BlobSource {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Bytes [start, end). */
  open(start: number, end: number): AsyncIterable<Uint8Array>;
}

const READ_BYTES = 256 * 1024;

/** A blob of a layout, read in pieces of 256 KiB. @throws IMAGE_INVALID when the file is not what it was */
export function layoutBlob(layout: OciLayout, blob: { readonly digest: string; readonly size: number }): BlobSource {
  const path = layout.blobPath(blob.digest);
  return {
    digest: blob.digest,
    sizeBytes: blob.size,
    open: async function* (start, end) {
      const gone = (cause?: unknown) =>
        new InlayError('IMAGE_INVALID', `blob ${blob.digest} in ${layout.dir} is missing or cut short`, {
          cause,
          hint: 'Build or pull the image again.',
        });
      const file = await open(path).catch((cause) => {
        throw gone(cause);
      });
      try {
        for (let at = start; at < end; ) {
          // A buffer of its own each time: the last one may still be on its way out.
          const { bytesRead, buffer } = await file.read({
            buffer: Buffer.allocUnsafe(Math.min(READ_BYTES, end - at)),
            position: at,
          });
          if (bytesRead === 0) throw gone();
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}

export function bytesBlob(digest: string, bytes: Uint8Array): BlobSource {
  return {
    digest,
    sizeBytes: bytes.byteLength,
    open: (start, end) => bytesBody(bytes.subarray(start, end)).open(),
  };
}

/** The part [start, end) of a blob as a request's body. */
export function partBody(
  source: BlobSource,
  start: number,
  end: number,
  onBytes?: (count: number) => void,
): RequestBody {
  return {
    sizeBytes: end - start,
    open: async function* () {
      for await (const chunk of source.open(start, end)) {
        onBytes?.(chunk.byteLength);
        yield chunk;
      }
    },
  };
}
