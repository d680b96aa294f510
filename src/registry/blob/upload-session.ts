import { discard } from '../http/answer-body.ts';
import type { Repository } from '../repository.ts';

/** An upload that the registry has opened (distribution-spec, "Pushing a blob in chunks"). */
export interface UploadSession {
  readonly url: URL;
  /** Least size of a chunk, all but the last; 0 where the registry names none. */
  readonly minChunkBytes: number;
}

export type Mounted = { readonly mounted: true } | { readonly mounted: false; readonly session: UploadSession };

/** Opens an upload. */
export async function startUpload(repository: Repository, digest: string): Promise<UploadSession> {
  const step = `starting the upload of ${digest}`;
  const response = await repository.request({ step, method: 'POST', target: 'blobs/uploads/', expect: [202, 201] });
  await discard(response);
  return sessionOf(repository, response, step, repository.url('blobs/uploads/'), 0);
}

/**
 * Asks for a blob of a sibling repository. A registry that will not mount answers with an upload session, which is used; one
 * that refuses the request altogether gets a plain one.
 */
export async function mountBlob(repository: Repository, digest: string, from: string): Promise<Mounted> {
  const step = `mounting ${digest} from ${from}`;
  const target = `blobs/uploads/?${new URLSearchParams({ mount: digest, from })}`;
  const refusals = [400, 401, 403, 404, 405];
  const response = await repository.request({ step, method: 'POST', target, expect: [201, 202, ...refusals] });
  await discard(response);
  if (response.status === 201) return { mounted: true };
  if (response.status === 202)
    return { mounted: false, session: sessionOf(repository, response, step, repository.url(target), 0) };
  return { mounted: false, session: await startUpload(repository, digest) };
}

/** Where an upload goes on, from an answer that may have moved it. */
export function sessionOf(
  repository: Repository,
  response: Response,
  step: string,
  base: URL,
  minChunkBytes: number,
): UploadSession {
  const header = response.headers.get('location');
  const url = header === null ? undefined : repository.location(header, base);
  if (url === undefined)
    throw repository.failure('REGISTRY_FAILED', step, 'the registry gave no usable address to upload to', {
      hint: `Ask who runs ${repository.host}: its Location header is missing or leaves HTTPS.`,
    });
  const asked = Number(response.headers.get('oci-chunk-min-length') ?? 0);
  return { url, minChunkBytes: Number.isSafeInteger(asked) && asked > 0 ? asked : minChunkBytes };
}

/** Bytes that a `Range: 0-N` header says have arrived; `0-0` is how registries say none. */
export function arrivedBytes(header: string | null): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(header ?? '')?.[1];
  if (last === undefined) return undefined;
  return Number(last) === 0 ? 0 : Number(last) + 1;
}
