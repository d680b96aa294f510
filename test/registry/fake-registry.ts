// A registry in memory, in its own words of HTTP, that can be told to fail. Real ones are in e2e/; this one is for what they
// cannot be asked to do: dropping, lying, forgetting, refusing.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  bodyBytes: number;
  status: number;
}

export interface RegistryTraits {
  readonly auth?: 'none' | 'basic' | 'bearer';
  readonly username?: string;
  readonly password?: string;
  /** What POST to the token server accepts. */
  readonly refreshToken?: string;
  readonly tokenLifeS?: number;
  /** Another address as the token's realm. */
  readonly realm?: string;
  readonly mounts?: boolean;
  readonly referrersApi?: boolean;
  /** Sends OCI-Subject without having the API. */
  readonly lyingSubject?: boolean;
  /** `tags`: only these can be deleted; `tags-first`: a manifest that has tags cannot. */
  readonly deletes?: boolean | 'tags' | 'tags-first';
  /** Tags name a manifest that was deleted by its digest as before. */
  readonly tagsStay?: boolean;
  /** False to cut lists of tags without saying so. */
  readonly links?: boolean;
  /** Answer to a whole blob in one PUT. */
  readonly refuseWhole?: 400 | 413;
  readonly minChunkBytes?: number;
  readonly maxChunkBytes?: number;
  readonly ranges?: boolean;
  /** Blobs are fetched there instead: an origin. */
  readonly storage?: string;
  /** Whether manifests with missing blobs are refused. */
  readonly validates?: boolean;
  /** Heeds If-Match and If-None-Match where a tag is set (RFC 9110, 13.1). */
  readonly preconditions?: boolean;
  readonly pageSize?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export type Fault = {
  readonly method?: string;
  readonly path?: RegExp;
  /** How often; 1 when not said. */
  readonly times?: number;
} & (
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Reads so many bytes of the request's body, keeps them if it is an upload, and drops the connection. */
  | { readonly kind: 'drop-request'; readonly afterBytes: number; readonly forget?: boolean }
  /** Does what was asked, and drops the connection instead of answering. */
  | { readonly kind: 'lose-answer' }
  /** Sends so many bytes of the answer's body. */
  | { readonly kind: 'drop-answer'; readonly afterBytes: number }
  /** Ends the answer's body early in an orderly way. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** A login that has run out, after so many bytes of the body. */
  | { readonly kind: 'expire'; readonly afterBytes: number }
  | { readonly kind: 'forget-upload' }
);

interface Stored {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

interface Repo {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, string>;
  readonly uploads: Map<string, Buffer[]>;
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export class FakeRegistry {
  /** How far its clock is from the true time. */
  clockAheadMs = 0;
  readonly seen: SeenRequest[] = [];
  readonly #traits: RegistryTraits;
  readonly #server: Server;
  readonly #repos = new Map<string, Repo>();
  #faults: { fault: Fault; left: number }[] = [];
  #token = randomUUID();
  /** Once a body has been left half read, the request no longer knows its own. */
  readonly #sockets = new WeakMap<IncomingMessage, Socket>();
  tokensIssued = 0;

  private constructor(traits: RegistryTraits) {
    this.#traits = traits;
    const handle = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    this.#server = traits.tls ? (createTlsServer(traits.tls, handle) as unknown as Server) : createServer(handle);
  }

  static async start(traits: RegistryTraits = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(traits);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  repo(name: string): Repo {
    let repo = this.#repos.get(name);
    if (!repo) {
      repo = { blobs: new Map(), manifests: new Map(), tags: new Map(), uploads: new Map() };
      this.#repos.set(name, repo);
    }
    return repo;
  }

  expireTokens(): void {
    this.#token = randomUUID();
  }

  /** Requests that count in a push: all but reading. */
  writes(): SeenRequest[] {
    return this.seen.filter(({ method }) => method !== 'GET');
  }

  reset(): void {
    this.seen.length = 0;
  }

  #fault(seen: SeenRequest, kinds: readonly Fault['kind'][]): Fault | undefined {
    const found = this.#faults.find(
      ({ fault, left }) =>
        left > 0 &&
        kinds.includes(fault.kind) &&
        (fault.method === undefined || fault.method === seen.method) &&
        (fault.path === undefined || fault.path.test(seen.path)),
    );
    if (found) found.left--;
    return found?.fault;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers as Record<string, string | undefined>,
      bodyBytes: 0,
      status: 0,
    };
    this.seen.push(seen);
    this.#sockets.set(request, request.socket);
    response.on('finish', () => {
      seen.status = response.statusCode;
    });
    request.on('error', () => {});
    if (this.clockAheadMs !== 0) response.setHeader('date', new Date(Date.now() + this.clockAheadMs).toUTCString());
    try {
      const delay = this.#fault(seen, ['delay']);
      if (delay?.kind === 'delay') await Bun.sleep(delay.ms);
      const early = this.#fault(seen, ['status', 'expire']);
      if (early?.kind === 'status') {
        request.resume();
        response.writeHead(early.status, early.headers);
        response.end(early.body ?? '');
        return;
      }
      if (seen.path.startsWith('/token')) return await this.#issue(request, response, seen);
      if (early?.kind === 'expire') {
        await this.#read(request, seen, early.afterBytes);
        this.expireTokens();
        return this.#challenge(response);
      }
      if (!this.#allowed(request)) {
        request.resume();
        return this.#challenge(response);
      }
      await this.#route(request, response, seen);
    } catch (error) {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    }
  }

  async #issue(request: IncomingMessage, response: ServerResponse, seen: SeenRequest): Promise<void> {
    const { username = 'user', password = 'password', refreshToken, tokenLifeS = 300 } = this.#traits;
    const body = (await this.#read(request, seen)).bytes.toString();
    const basic = `Basic ${btoa(`${username}:${password}`)}`;
    const good =
      request.method === 'POST'
        ? new URLSearchParams(body).get('refresh_token') === refreshToken
        : request.headers.authorization === basic;
    if (!good) {
      response.writeHead(401);
      response.end(
        JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: `not ${request.headers.authorization ?? body}` }] }),
      );
      return;
    }
    this.tokensIssued++;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token: this.#token, expires_in: tokenLifeS }));
  }

  #drop(request: IncomingMessage): void {
    this.#sockets.get(request)?.destroy();
  }

  #allowed(request: IncomingMessage): boolean {
    const { auth = 'none', username = 'user', password = 'password' } = this.#traits;
    if (auth === 'none') return true;
    return (
      request.headers.authorization ===
      (auth === 'basic' ? `Basic ${btoa(`${username}:${password}`)}` : `Bearer ${this.#token}`)
    );
  }

  #challenge(response: ServerResponse): void {
    const realm = this.#traits.realm ?? `http://${this.host}/token`;
    response.writeHead(401, {
      'www-authenticate':
        this.#traits.auth === 'basic'
          ? 'Basic realm="fake"'
          : `Bearer realm="${realm}",service="fake",scope="repository:any:pull,push"`,
    });
    response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }));
  }

  /** The body, or its first `limit` bytes. */
  async #read(
    request: IncomingMessage,
    seen: SeenRequest,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<{ bytes: Buffer; cut: boolean }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      seen.bodyBytes += chunk.length;
      if (seen.bodyBytes >= limit) return { bytes: Buffer.concat(chunks), cut: true };
    }
    return { bytes: Buffer.concat(chunks), cut: false };
  }

  async #route(request: IncomingMessage, response: ServerResponse, seen: SeenRequest): Promise<void> {
    const url = new URL(seen.path, `http://${this.host}`);
    const [, name = '', rest = ''] = /^\/v2\/(.+?)\/((?:blobs|manifests|tags|referrers)\/.*)$/.exec(url.pathname) ?? [];
    if (name === '') return this.#error(response, 404, 'NAME_INVALID');
    const [kind, id = '', upload] = rest.split('/');
    if (kind === 'blobs' && id === 'uploads') return this.#uploads(request, response, seen, name, upload ?? '', url);
    if (kind === 'blobs') return this.#blob(request, response, seen, name, id);
    if (kind === 'manifests') return this.#manifest(request, response, seen, name, id);
    if (kind === 'tags') return this.#tags(response, name, url);
    return this.#referrers(response, name, id);
  }

  async #uploads(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    name: string,
    id: string,
    url: URL,
  ): Promise<void> {
    const repo = this.repo(name);
    const { minChunkBytes, maxChunkBytes, refuseWhole, mounts = true } = this.#traits;
    const location = (upload: string) => `/v2/${name}/blobs/uploads/${upload}?state=${randomUUID()}`;
    if (request.method === 'POST') {
      const from = url.searchParams.get('from');
      const blob = from && this.#repos.get(from)?.blobs.get(url.searchParams.get('mount') ?? '');
      if (mounts && blob) {
        repo.blobs.set(sha256(blob), blob);
        response.writeHead(201, { location: `/v2/${name}/blobs/${sha256(blob)}` });
        return void response.end();
      }
      const upload = randomUUID();
      repo.uploads.set(upload, []);
      response.writeHead(202, {
        location: location(upload),
        range: '0-0',
        ...(minChunkBytes ? { 'oci-chunk-min-length': String(minChunkBytes) } : {}),
      });
      return void response.end();
    }
    if (this.#fault(seen, ['forget-upload'])) repo.uploads.delete(id);
    const parts = repo.uploads.get(id);
    if (!parts) {
      request.resume();
      return this.#error(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    }
    const have = () => parts.reduce((sum, part) => sum + part.length, 0);
    const state = () => ({ location: location(id), range: `0-${Math.max(have() - 1, 0)}` });
    if (request.method === 'GET') {
      response.writeHead(204, state());
      return void response.end();
    }
    const size = Number(request.headers['content-length'] ?? -1);
    if (size < 0) {
      request.resume();
      return this.#error(response, 411, 'UNKNOWN');
    }
    if (request.method === 'PUT' && size > 0 && refuseWhole) {
      request.resume();
      return this.#error(response, refuseWhole, 'UNKNOWN');
    }
    if (request.method === 'PATCH') {
      const [, start] = /^(\d+)-\d+$/.exec(request.headers['content-range'] ?? '') ?? [];
      if (maxChunkBytes !== undefined && size > maxChunkBytes) {
        request.resume();
        return this.#error(response, 413, 'SIZE_INVALID');
      }
      if (start !== undefined && Number(start) !== have()) {
        request.resume();
        response.writeHead(416, state());
        return void response.end();
      }
    }
    const drop = this.#fault(seen, ['drop-request']);
    const limit = drop?.kind === 'drop-request' ? drop.afterBytes : Number.POSITIVE_INFINITY;
    const { bytes, cut } = await this.#read(request, seen, limit);
    if (!(drop?.kind === 'drop-request' && drop.forget)) parts.push(cut ? bytes.subarray(0, limit) : bytes);
    if (cut) return void this.#drop(request);
    if (request.method === 'PATCH') {
      if (minChunkBytes && bytes.length < minChunkBytes && !(request.headers['x-last'] ?? true))
        return this.#error(response, 416, 'SIZE_INVALID');
      if (this.#fault(seen, ['lose-answer'])) return void this.#drop(request);
      response.writeHead(202, state());
      return void response.end();
    }
    const blob = Buffer.concat(parts);
    const digest = url.searchParams.get('digest') ?? '';
    repo.uploads.delete(id);
    if (sha256(blob) !== digest || this.#fault(seen, ['corrupt'])) return this.#error(response, 400, 'DIGEST_INVALID');
    repo.blobs.set(digest, blob);
    if (this.#fault(seen, ['lose-answer'])) return void this.#drop(request);
    response.writeHead(201, { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest });
    response.end();
  }

  #blob(request: IncomingMessage, response: ServerResponse, seen: SeenRequest, name: string, digest: string): void {
    const blob = this.repo(name).blobs.get(digest);
    if (!blob) {
      this.#error(response, 404, 'BLOB_UNKNOWN');
      return;
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, { 'content-length': blob.length, 'docker-content-digest': digest });
      return void response.end();
    }
    if (this.#traits.storage !== undefined) {
      response.writeHead(307, {
        location: `${this.#traits.storage}/v2/${name}/blobs/${digest}?signature=s3cr3t-signature`,
      });
      return void response.end();
    }
    const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? [];
    const start = from !== undefined && this.#traits.ranges !== false ? Number(from) : 0;
    let bytes = blob.subarray(start);
    const bad = this.#fault(seen, ['corrupt', 'drop-answer', 'truncate']);
    if (bad?.kind === 'corrupt') bytes = Buffer.from(bytes.map((b, i) => (i === 3 ? b ^ 1 : b)));
    const truncated = bad?.kind === 'truncate';
    response.writeHead(start > 0 ? 206 : 200, {
      ...(truncated ? {} : { 'content-length': bytes.length }),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` } : {}),
    });
    if (bad?.kind === 'drop-answer') {
      response.write(bytes.subarray(0, bad.afterBytes), () => setTimeout(() => this.#drop(request), 20));
      return;
    }
    response.end(truncated ? bytes.subarray(0, bad.afterBytes) : bytes);
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    name: string,
    id: string,
  ): Promise<void> {
    const repo = this.repo(name);
    const digest = id.startsWith('sha256:') ? id : repo.tags.get(id);
    const stored = digest === undefined ? undefined : repo.manifests.get(digest);
    if (request.method === 'PUT') {
      const { bytes } = await this.#read(request, seen);
      const own = sha256(bytes);
      if (id.startsWith('sha256:') && id !== own) return this.#error(response, 400, 'DIGEST_INVALID');
      const json = JSON.parse(bytes.toString());
      const blobs = [json.config, ...(json.layers ?? [])].filter(Boolean) as { digest: string }[];
      const children = (json.manifests ?? []) as { digest: string }[];
      const holes = blobs.some((b) => !repo.blobs.has(b.digest));
      if (this.#traits.validates !== false && holes) return this.#error(response, 404, 'MANIFEST_BLOB_UNKNOWN');
      if (!id.startsWith('sha256-') && children.some((m) => !repo.manifests.has(m.digest)))
        return this.#error(response, 404, 'MANIFEST_UNKNOWN');
      const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
      const tagged = repo.tags.get(id);
      const unmet = (match !== undefined && match !== `"${tagged}"`) || (noneMatch === '*' && tagged !== undefined);
      if (this.#traits.preconditions && unmet) return this.#error(response, 412, 'PRECONDITION_FAILED');
      repo.manifests.set(own, { bytes, mediaType: request.headers['content-type'] ?? '' });
      if (!id.startsWith('sha256:')) repo.tags.set(id, own);
      if (this.#fault(seen, ['lose-answer'])) return void this.#drop(request);
      const { referrersApi = true, lyingSubject } = this.#traits;
      response.writeHead(201, {
        'docker-content-digest': own,
        ...(json.subject && (referrersApi || lyingSubject) ? { 'oci-subject': json.subject.digest } : {}),
      });
      return void response.end();
    }
    if (!stored) return this.#error(response, 404, 'MANIFEST_UNKNOWN');
    if (request.method === 'DELETE') {
      const { deletes = true, tagsStay } = this.#traits;
      const byTag = !id.startsWith('sha256:');
      if (!deletes || (deletes === 'tags' && !byTag)) return this.#error(response, 405, 'UNSUPPORTED');
      if (deletes === 'tags-first' && !byTag && [...repo.tags.values()].includes(id))
        return this.#error(response, 400, 'MANIFEST_DANGLING_TAG');
      if (byTag) repo.tags.delete(id);
      else if (tagsStay !== true) for (const [tag, named] of repo.tags) if (named === digest) repo.tags.delete(tag);
      // Such a registry keeps the bytes for the tags that are left.
      if (!byTag && !(tagsStay && [...repo.tags.values()].includes(id))) repo.manifests.delete(digest as string);
      response.writeHead(202);
      return void response.end();
    }
    const corrupt = this.#fault(seen, ['corrupt']);
    const bytes = corrupt ? Buffer.concat([stored.bytes, Buffer.from(' ')]) : stored.bytes;
    response.writeHead(200, {
      'content-type': stored.mediaType,
      'content-length': bytes.length,
      'docker-content-digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  #tags(response: ServerResponse, name: string, url: URL): void {
    const repo = this.#repos.get(name);
    if (!repo || (repo.tags.size === 0 && repo.manifests.size === 0)) {
      this.#error(response, 404, 'NAME_UNKNOWN');
      return;
    }
    const all = [...repo.tags.keys()].sort();
    const from = url.searchParams.get('last') === null ? 0 : all.indexOf(url.searchParams.get('last') as string) + 1;
    const page = all.slice(from, from + (this.#traits.pageSize ?? 1000));
    const more = from + page.length < all.length;
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(more && this.#traits.links !== false
        ? { link: `</v2/${name}/tags/list?n=2&last=${page.at(-1)}>; rel="next"` }
        : {}),
    });
    response.end(JSON.stringify({ name, tags: page }));
  }

  #referrers(response: ServerResponse, name: string, digest: string): void {
    if (this.#traits.referrersApi === false) {
      response.writeHead(404, { 'content-type': 'text/plain' });
      return void response.end('404 page not found\n');
    }
    const manifests = [...this.repo(name).manifests].flatMap(([own, { bytes, mediaType }]) => {
      const json = JSON.parse(bytes.toString());
      if (json.subject?.digest !== digest) return [];
      return [
        { mediaType, digest: own, size: bytes.length, artifactType: json.artifactType, annotations: json.annotations },
      ];
    });
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' });
    response.end(JSON.stringify({ schemaVersion: 2, manifests }));
  }

  #error(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
  }
}
