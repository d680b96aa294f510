import type { InlayError } from '../error/index.ts';
import { Authorizer } from './auth/authorizer.ts';
import { findCredential } from './auth/credentials.ts';
import { fetchToken } from './auth/token-client.ts';
import { answerError, failure, interrupted, parseAnswer, type RegistryAnswer, type Where } from './failure.ts';
import { discard, readBody, readErrorText } from './http/answer-body.ts';
import { isTransient, parseRetryAfter } from './http/backoff.ts';
import { Patience } from './http/patience.ts';
import { isLoopback } from './http/proxy.ts';
import { redirectOf } from './http/redirect.ts';
import { NetworkFailure, type RequestBody, Transport } from './http/transport.ts';
import type { Tunnels } from './http/tunnel.ts';
import { type Clock, type RegistryOptions, systemClock } from './options.ts';
import { DOCKER_HUB, type ImageReference } from './reference.ts';
import { Secrets } from './secrets.ts';

export type Action = 'pull' | 'push' | 'delete';

export interface RepositoryAccess {
  readonly actions: readonly Action[];
  /** Other repositories of the same registry to read from, for mounts: one token then serves the whole work. */
  readonly alsoPull?: readonly string[];
  /** False to leave INLAY_REGISTRY_USERNAME aside, where it is meant for another registry. */
  readonly useEnvironment?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiRequest {
  /** What it is for, in errors: `reading tag 0.0.1`. */
  readonly step: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v2/NAME/`, or an address that the registry gave. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Statuses that the caller deals with. */
  readonly expect: readonly number[];
}

const AUTH_ROUNDS = 2;

/** One repository of one registry, for one piece of work: its address, login, retries, and what was sent. */
export class Repository {
  /** As the reference names it. */
  readonly host: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly options: RegistryOptions;
  readonly #origin: string;
  readonly #transport: Transport;
  readonly #secrets = new Secrets();
  readonly #authorizer: Authorizer;
  readonly #scopes: readonly string[];
  readonly #clock: Clock;

  constructor(
    { registry, repository }: Pick<ImageReference, 'registry' | 'repository'>,
    options: RegistryOptions,
    access: RepositoryAccess,
    tunnels: Tunnels,
  ) {
    this.host = registry;
    this.name = repository;
    this.options = options;
    this.signal = access.signal;
    this.#origin = originOf(registry, options.insecureRegistries ?? []);
    this.#clock = options.clock ?? systemClock;
    // The others become known when they are looked up, which is before they are used.
    this.#secrets.addLogin(options.env.INLAY_REGISTRY_USERNAME, options.env.INLAY_REGISTRY_PASSWORD);
    this.#transport = new Transport(options, this.#secrets, tunnels);
    const others = [...new Set(access.alsoPull)].filter((name) => name !== repository).sort();
    this.#scopes = [
      `repository:${repository}:${access.actions.join(',')}`,
      ...others.map((name) => `repository:${name}:pull`),
    ];
    this.#authorizer = new Authorizer({
      findCredential: () =>
        findCredential(registry, repository, {
          env: options.env,
          homeDir: options.homeDir,
          useEnvironment: access.useEnvironment ?? true,
        }),
      fetchToken: (challenge, scopes, credential) =>
        fetchToken({ repository: this, transport: this.#transport, challenge, scopes, credential }),
      now: () => this.#clock.now(),
      hide: (secret) => {
        if (typeof secret === 'string') this.#secrets.add(secret);
        else if (secret.kind === 'password') this.#secrets.addLogin(secret.username, secret.password);
        else this.#secrets.add(secret.token);
      },
    });
  }

  /** Bytes of request bodies, all tries together. */
  get sentBytes(): number {
    return this.#transport.sentBytes;
  }

  where(step: string): Where {
    return { host: this.host, repository: this.name, step };
  }

  patience(step: string): Patience {
    return new Patience(this.where(step), this.options, this.signal);
  }

  get now(): number {
    return this.#clock.now();
  }

  /** Whether the registry itself is spoken to in plain HTTP. */
  get plain(): boolean {
    return this.#origin.startsWith('http:');
  }

  /** Whether an address is the registry's own: only such get the login. */
  owns(url: URL): boolean {
    return url.origin === this.#origin;
  }

  url(target: string | URL): URL {
    return target instanceof URL ? target : new URL(`${this.#origin}/v2/${this.name}/${target}`);
  }

  /** The address of an upload in a Location header; its plain HTTP is a TLS-ending proxy's mistake when all else is the same. */
  location(header: string, base: URL): URL | undefined {
    if (!URL.canParse(header, base)) return undefined;
    const url = new URL(header, base);
    if (base.protocol === 'https:' && url.protocol === 'http:') {
      if (url.hostname !== base.hostname) return undefined;
      url.protocol = 'https:';
    }
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
  }

  /** Sends a request until it is answered with an expected status. @throws every error of docs/registry.md */
  async request(request: ApiRequest): Promise<Response> {
    const patience = this.patience(request.step);
    for (;;) {
      const answer = await this.try(request);
      if (answer instanceof Response) return answer;
      await patience.failed(answer.reason, answer.retryAfterMs);
    }
  }

  /** Reads an answer's body up to `limit` bytes, asking again when it breaks off. */
  async read(request: ApiRequest, limit: number): Promise<{ readonly response: Response; readonly bytes: Uint8Array }> {
    const patience = this.patience(request.step);
    for (;;) {
      const response = await this.request(request);
      try {
        const bytes = await readBody(response, limit, this.signal);
        const promised = response.headers.get('content-length');
        if (bytes === undefined)
          throw this.failure('REGISTRY_FAILED', request.step, `the answer is longer than ${limit} bytes`, {
            hint: `What ${this.host} sent is not a manifest or a list. Look at the reference.`,
          });
        if (request.method === 'HEAD' || promised === null || Number(promised) === bytes.byteLength)
          return { response, bytes };
        await patience.failed(new NetworkFailure('SHORT', 'dropped', 'the answer ended early'));
      } catch (error) {
        if (this.signal?.aborted) throw interrupted(this.where(request.step));
        if (!(error instanceof NetworkFailure)) throw error;
        await patience.failed(error);
      }
    }
  }

  /** One try: an expected answer, or why there was none if another try may help. @throws the error where none will */
  async try(request: ApiRequest): Promise<Response | FailedTry> {
    let response: Response;
    try {
      response = await this.#exchange(request);
    } catch (error) {
      if (this.signal?.aborted) throw interrupted(this.where(request.step));
      if (error instanceof NetworkFailure) return { reason: error };
      throw error;
    }
    if (request.expect.includes(response.status)) return response;
    const answer = await this.answer(response);
    if (!isTransient(answer.status)) throw answerError(this.where(request.step), answer);
    return { reason: answer, retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), this.#clock.now()) };
  }

  /** An answer's error, without secrets. */
  async answer(response: Response): Promise<RegistryAnswer> {
    const text = this.#secrets.scrub(await readErrorText(response));
    return parseAnswer(response.status, text);
  }

  /** The error for an answer that the caller has read and does not accept. */
  refused(step: string, answer: RegistryAnswer): InlayError {
    return answerError(this.where(step), answer);
  }

  failure(
    code: InlayError['code'],
    step: string,
    what: string,
    details: { hint: string; cause?: unknown },
  ): InlayError {
    return failure(code, this.where(step), this.#secrets.scrub(what), details);
  }

  /** One answer, after logging in and redirects. */
  async #exchange(request: ApiRequest): Promise<Response> {
    let url = this.url(request.target);
    let rounds = 0;
    for (let followed = 0; ; ) {
      const own = this.owns(url);
      const authorization = own ? await this.#authorizer.header(this.#scopes) : undefined;
      const response = await this.#transport.send({
        method: request.method,
        url,
        headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
        body: request.body,
        signal: this.signal,
      });
      if (response.status === 401 && own) {
        const again = rounds++ < AUTH_ROUNDS && (await this.#authorizer.refused(response, this.#scopes, authorization));
        // Who expects a 401 has to see where it stands before it sends its body again.
        if (!again || request.expect.includes(401)) return response;
        await discard(response);
        continue;
      }
      const redirect = redirectOf(response, request.method, url, followed);
      if (redirect.kind === 'none') return response;
      await discard(response);
      if (redirect.kind === 'refuse')
        throw this.failure('REGISTRY_FAILED', request.step, redirect.why, {
          hint: `inlay does not follow that. Ask who runs ${this.host}.`,
        });
      url = redirect.url;
      followed++;
    }
  }
}

export interface FailedTry {
  readonly reason: NetworkFailure | RegistryAnswer;
  readonly retryAfterMs?: number | undefined;
}

export function bytesBody(bytes: Uint8Array): RequestBody {
  return {
    sizeBytes: bytes.byteLength,
    open: async function* () {
      if (bytes.byteLength > 0) yield bytes;
    },
  };
}

/** Plain HTTP for loopback and where it was allowed; Docker Hub's API has a host of its own. */
function originOf(registry: string, insecure: readonly string[]): string {
  if (registry === DOCKER_HUB) return 'https://registry-1.docker.io';
  const { hostname } = new URL(`http://${registry}`);
  const plain = isLoopback(hostname) || insecure.includes(registry) || insecure.includes(hostname);
  return new URL(`${plain ? 'http' : 'https'}://${registry}`).origin;
}
