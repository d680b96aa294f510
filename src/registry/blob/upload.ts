import { discard } from '../http/answer-body.ts';
import type { Patience } from '../http/patience.ts';
import { DEFAULTS } from '../options.ts';
import { bytesBody, type Repository } from '../repository.ts';
import { type BlobSource, partBody } from './blob-source.ts';
import { arrivedBytes, startUpload, type UploadSession } from './upload-session.ts';

const OCTETS = { 'content-type': 'application/octet-stream' };
/** What registries and the proxies before them answer to one large PUT when they want smaller pieces. */
const TOO_LARGE_IN_ONE = [400, 405, 411, 413, 501];

interface UploadState {
  readonly session: UploadSession;
  /** Bytes that the registry has. */
  readonly offset: number;
  /** Bytes to send at once; Infinity while the registry has not refused that. */
  readonly chunkBytes: number;
}

type Step = { readonly done: true } | { readonly done: false; readonly state: UploadState };

/**
 * Sends a blob: one PUT with its length, as that is by far the quickest; in chunks where the registry refuses that; and from
 * where it broke off when a connection drops or a login runs out.
 * @param session an upload that a failed mount has opened @param onBytes may be negative: bytes that have to be sent again
 * @throws INTEGRITY_MISMATCH when the registry got other bytes, and the errors of every request
 */
export async function uploadBlob(
  repository: Repository,
  source: BlobSource,
  options: {
    readonly session?: UploadSession | undefined;
    readonly onBytes?: ((count: number) => void) | undefined;
  } = {},
): Promise<void> {
  const upload = new Upload(repository, source, options.onBytes);
  await upload.run(options.session);
}

class Upload {
  readonly #repository: Repository;
  readonly #source: BlobSource;
  readonly #onBytes: ((count: number) => void) | undefined;
  readonly #step: string;
  readonly #patience: Patience;
  #told = 0;
  #mismatches = 0;

  constructor(repository: Repository, source: BlobSource, onBytes: ((count: number) => void) | undefined) {
    this.#repository = repository;
    this.#source = source;
    this.#onBytes = onBytes;
    this.#step = `uploading ${source.digest}`;
    this.#patience = repository.patience(this.#step);
  }

  async run(opened: UploadSession | undefined): Promise<void> {
    let state: UploadState = {
      session: opened ?? (await startUpload(this.#repository, this.#source.digest)),
      offset: 0,
      chunkBytes: Number.POSITIVE_INFINITY,
    };
    for (;;) {
      const whole = state.offset === 0 && state.chunkBytes === Number.POSITIVE_INFINITY;
      const sent =
        whole || state.offset === this.#source.sizeBytes ? await this.#finish(state, whole) : await this.#chunk(state);
      if (sent.done) {
        this.#tell(this.#source.sizeBytes);
        return;
      }
      this.#patience.progressed(sent.state.offset - state.offset);
      state = sent.state;
      this.#tell(state.offset);
    }
  }

  /** The closing PUT, with all of the blob or with nothing more to send. */
  async #finish(state: UploadState, whole: boolean): Promise<Step> {
    const { sizeBytes, digest } = this.#source;
    const url = new URL(state.session.url);
    url.searchParams.set('digest', digest);
    const body = whole ? partBody(this.#source, 0, sizeBytes, this.#counter(0)) : bytesBody(new Uint8Array());
    const response = await this.#repository.try({
      step: this.#step,
      method: 'PUT',
      target: url,
      headers: OCTETS,
      body,
      expect: [201, 204, 401, 404, 416, ...TOO_LARGE_IN_ONE],
    });
    if (!(response instanceof Response)) {
      await this.#patience.failed(response.reason, response.retryAfterMs);
      return this.#resume(state);
    }
    if (response.status === 201 || response.status === 204) {
      await discard(response);
      return { done: true };
    }
    const answer = await this.#repository.answer(response);
    if (answer.codes.includes('DIGEST_INVALID')) return this.#mismatch(state);
    if (response.status === 401 || response.status === 404 || response.status === 416) {
      await this.#patience.failed(answer);
      return this.#resume(state);
    }
    if (!whole) throw this.#repository.refused(this.#step, answer);
    const chunkBytes = Math.max(
      this.#repository.options.chunkBytes ?? DEFAULTS.chunkBytes,
      state.session.minChunkBytes,
    );
    return this.#again({ ...state, chunkBytes });
  }

  /** One PATCH. */
  async #chunk(state: UploadState): Promise<Step> {
    const { session, offset } = state;
    const end = Math.min(offset + Math.max(state.chunkBytes, session.minChunkBytes), this.#source.sizeBytes);
    const response = await this.#repository.try({
      step: this.#step,
      method: 'PATCH',
      target: session.url,
      headers: { ...OCTETS, 'content-range': `${offset}-${end - 1}` },
      body: partBody(this.#source, offset, end, this.#counter(offset)),
      // ECR answers 201.
      expect: [202, 201, 204, 401, 404, 413, 416],
    });
    if (!(response instanceof Response)) {
      await this.#patience.failed(response.reason, response.retryAfterMs);
      return this.#resume(state);
    }
    if (response.ok) {
      await discard(response);
      const moved = response.headers.get('location');
      const url = (moved === null ? undefined : this.#repository.location(moved, session.url)) ?? session.url;
      const arrived = arrivedBytes(response.headers.get('range')) ?? end;
      // A registry that took less says so; more than was sent it cannot have.
      return { done: false, state: { ...state, session: { ...session, url }, offset: Math.min(arrived, end) } };
    }
    const answer = await this.#repository.answer(response);
    await this.#patience.failed(answer);
    if (response.status === 413) {
      const smaller = Math.floor((end - offset) / 2);
      if (smaller < Math.max(session.minChunkBytes, 1)) throw this.#repository.refused(this.#step, answer);
      return this.#again({ ...state, chunkBytes: smaller });
    }
    return this.#resume(state);
  }

  /** Asks the registry what has arrived; begins anew where it has forgotten the upload, unless the blob is whole already. */
  async #resume(state: UploadState): Promise<Step> {
    const { url } = state.session;
    const response = await this.#repository.request({
      step: `asking what has arrived of ${this.#source.digest}`,
      method: 'GET',
      target: url,
      expect: [204, 200, 202, 400, 404, 405, 416],
    });
    await discard(response);
    const arrived = response.ok ? arrivedBytes(response.headers.get('range')) : undefined;
    if (arrived !== undefined && arrived > 0 && arrived <= this.#source.sizeBytes) {
      const moved = response.headers.get('location');
      const next = (moved === null ? undefined : this.#repository.location(moved, url)) ?? url;
      return { done: false, state: { ...state, session: { ...state.session, url: next }, offset: arrived } };
    }
    if (await hasBlob(this.#repository, this.#source.digest, this.#source.sizeBytes)) return { done: true };
    return this.#again(state);
  }

  async #again(state: UploadState): Promise<Step> {
    const session = await startUpload(this.#repository, this.#source.digest);
    return { done: false, state: { ...state, session, offset: 0 } };
  }

  /** Bytes may be bent on the way once; twice means that the source is not what it says. */
  async #mismatch(state: UploadState): Promise<Step> {
    if (++this.#mismatches > 1)
      throw this.#repository.failure(
        'INTEGRITY_MISMATCH',
        this.#step,
        'the registry computes another digest of what it got',
        {
          hint: 'The local copy is damaged, or something between here and the registry changes bytes: build or pull the image again, then look at the proxy.',
        },
      );
    return this.#again(state);
  }

  #counter(from: number): (count: number) => void {
    let at = from;
    return (count) => {
      at += count;
      this.#tell(at);
    };
  }

  /** Tells the caller how far the blob is, as a difference. */
  #tell(at: number): void {
    if (at === this.#told) return;
    const before = this.#told;
    this.#told = at;
    this.#onBytes?.(at - before);
  }
}

/** Whether the registry has a blob, in its full size. */
export async function hasBlob(repository: Repository, digest: string, sizeBytes: number): Promise<boolean> {
  const response = await repository.request({
    step: `asking for ${digest}`,
    method: 'HEAD',
    target: `blobs/${digest}`,
    expect: [200, 404],
  });
  const length = response.headers.get('content-length');
  return response.status === 200 && (length === null || Number(length) === sizeBytes);
}
