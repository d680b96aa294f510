import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { InlayError } from '../../error/index.ts';
import { interrupted } from '../failure.ts';
import { bodyOf, NetworkFailure } from '../http/transport.ts';
import type { Repository } from '../repository.ts';
import type { BlobSource } from './blob-source.ts';
import { claimPartial, leavePartial } from './partial-file.ts';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/**
 * A blob's bytes [start, end) as they come, in constant memory, going on with a Range request where a connection dropped.
 * Not checked against the digest: who reads all of it does that.
 * @throws INTEGRITY_MISMATCH when there are more bytes than the descriptor says
 */
export async function* readBlob(
  repository: Repository,
  blob: Blob,
  start = 0,
  end = blob.size,
): AsyncGenerator<Uint8Array> {
  const step = `downloading ${blob.digest}`;
  const patience = repository.patience(step);
  for (let at = start; at < end; ) {
    const partial = at > 0 || end < blob.size;
    const response = await repository.request({
      step,
      method: 'GET',
      target: `blobs/${blob.digest}`,
      headers: partial ? { range: `bytes=${at}-${end - 1}` } : {},
      expect: partial ? [206, 200] : [200],
    });
    // A registry without ranges sends the whole: what we have is read over.
    let skip = response.status === 206 ? 0 : at;
    if (response.status === 206 && !startsAt(response, at))
      throw repository.failure('REGISTRY_FAILED', step, 'the registry sent another range than it was asked for', {
        hint: `Ask who runs ${repository.host}.`,
      });
    const before = at;
    try {
      for await (const chunk of bodyOf(response, repository.signal)) {
        const rest = chunk.subarray(Math.min(skip, chunk.byteLength));
        skip -= chunk.byteLength - rest.byteLength;
        if (rest.byteLength === 0) continue;
        const wanted = rest.subarray(0, end - at);
        if (wanted.byteLength < rest.byteLength && end === blob.size)
          throw mismatch(repository, step, `there is more than the ${blob.size} bytes of its descriptor`);
        at += wanted.byteLength;
        yield wanted;
        if (at >= end && end < blob.size) break;
      }
      if (at < end) throw new NetworkFailure('SHORT', 'dropped', `the answer ended ${end - at} bytes early`);
    } catch (error) {
      if (repository.signal?.aborted) throw interrupted(repository.where(step));
      if (!(error instanceof NetworkFailure)) throw error;
      patience.progressed(at - before);
      await patience.failed(error);
    }
  }
}

/**
 * Downloads a blob to `path`: written under another name in `temporaryDir` on the same disk, checked while being written, then
 * renamed, so that a file of that name is whole. What was fetched before a failure, or before the process was ended, is not fetched again.
 * @param onBytes may be negative: bytes that have to be fetched again
 * @throws INTEGRITY_MISMATCH
 */
export async function downloadBlob(
  repository: Repository,
  blob: Blob,
  path: string,
  options: { readonly temporaryDir: string; readonly onBytes?: ((count: number) => void) | undefined },
): Promise<void> {
  const { temporaryDir, onBytes } = options;
  const partial = await claimPartial(temporaryDir, blob.digest);
  try {
    // Bytes may be bent on the way once; twice, and the registry holds something else.
    const right =
      (await write(repository, blob, partial.file, onBytes)) || (await write(repository, blob, partial.file, onBytes));
    if (!right) throw mismatch(repository, `downloading ${blob.digest}`, 'the bytes have another digest');
    await mkdir(dirname(path), { recursive: true });
    await rename(partial.path, path);
  } catch (error) {
    await leavePartial(partial);
    throw error;
  } finally {
    await partial.file.close();
  }
}

/** Goes on where the file ends. True when what is in it then has the digest; a wrong file is emptied. */
async function write(
  repository: Repository,
  blob: Blob,
  file: FileHandle,
  onBytes: ((count: number) => void) | undefined,
): Promise<boolean> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).byteLength;
  }
  onBytes?.(size);
  if (size < blob.size || size === 0)
    for await (const chunk of readBlob(repository, blob, size)) {
      hash.update(chunk);
      await file.writeFile(chunk);
      size += chunk.byteLength;
      onBytes?.(chunk.byteLength);
    }
  if (size === blob.size && `sha256:${hash.digest('hex')}` === blob.digest) return true;
  await file.truncate(0);
  onBytes?.(-size);
  return false;
}

/** A remote blob as the source of an upload elsewhere; the registry that receives it checks the digest. */
export function remoteBlob(repository: Repository, blob: Blob): BlobSource {
  return {
    digest: blob.digest,
    sizeBytes: blob.size,
    open: (start, end) => readBlob(repository, blob, start, end),
  };
}

function startsAt(response: Response, at: number): boolean {
  const range = response.headers.get('content-range');
  return range === null || new RegExp(`^bytes ${at}-`).test(range);
}

function mismatch(repository: Repository, step: string, what: string): InlayError {
  return repository.failure('INTEGRITY_MISMATCH', step, what, {
    hint: `The copy in ${repository.host} is damaged, or something on the way changes bytes: push the image again, or look at the proxy.`,
  });
}
