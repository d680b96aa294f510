import { rootCertificates } from 'node:tls';
import { DEFAULTS, type RegistryOptions } from '../options.ts';
import type { Secrets } from '../secrets.ts';
import { proxyFor } from './proxy.ts';
import type { Tunnels } from './tunnel.ts';

/** A body that can be sent again: a request may be repeated after a redirect or a new login. */
export interface RequestBody {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** No answer came, or not a whole one. */
export class NetworkFailure extends Error {
  readonly code: string;
  readonly kind: 'certificate' | 'plain-http' | 'no-host' | 'refused' | 'proxy' | 'idle' | 'dropped';

  constructor(code: string, kind: NetworkFailure['kind'], message: string) {
    super(message);
    this.name = 'NetworkFailure';
    this.code = code;
    this.kind = kind;
  }
}

/** HTTP with the machine's proxies and certificates; follows no redirect, retries nothing, tells no secret. */
export class Transport {
  readonly #options: RegistryOptions;
  readonly #secrets: Secrets;
  readonly #tunnels: Tunnels;
  #sentBytes = 0;

  constructor(options: RegistryOptions, secrets: Secrets, tunnels: Tunnels) {
    this.#options = options;
    this.#secrets = secrets;
    this.#tunnels = tunnels;
  }

  /** Of request bodies, all tries together. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** @throws NetworkFailure; the signal's reason when it aborts; the body's own error when it cannot be read */
  async send({ method, url, headers, body, signal }: HttpRequest): Promise<Response> {
    const { env, ca, idleTimeoutMs = DEFAULTS.idleTimeoutMs, userAgent = DEFAULTS.userAgent } = this.#options;
    const proxy = proxyFor(url, env);
    if (proxy !== undefined) this.#secrets.add(new URL(proxy).password || undefined);
    const tunnel = proxy !== undefined && url.protocol === 'https:' ? proxy : undefined;
    let unreadable: { readonly error: unknown } | undefined;
    const source = body === undefined ? undefined : this.#counted(body, (error) => (unreadable = { error }));
    try {
      return await fetch(url, {
        method,
        redirect: 'manual',
        // A blob is its bytes as they are: no coding on the way, or sizes and ranges would mean something else.
        decompress: false,
        headers: {
          'user-agent': userAgent,
          'accept-encoding': 'identity',
          ...headers,
          // Bun sends a stream in one piece when told its length, else chunked, which some registries refuse.
          ...(body === undefined ? {} : { 'content-length': String(body.sizeBytes) }),
        },
        // Not Bun.file: over TLS Bun reads that into memory whole (1.3 GB for 600 MB). An iterable is pulled as the socket drains.
        ...(source === undefined ? {} : { body: source as unknown as BodyInit }),
        // Never Bun's own reading of the environment.
        proxy: tunnel === undefined ? (proxy ?? false) : false,
        ...(tunnel === undefined ? {} : { unix: await this.#tunnels.path(tunnel, url) }),
        // Given certificates replace the well-known ones, which the registry's storage may still need.
        ...(ca === undefined ? {} : { tls: { ca: [...rootCertificates, ca] } }),
        timeout: idleTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (unreadable) throw unreadable.error;
      const problem = tunnel === undefined ? undefined : await this.#tunnels.problem(tunnel, url);
      if (problem !== undefined) throw new NetworkFailure('PROXY', 'proxy', problem);
      throw networkFailure(error, proxy !== undefined);
    }
  }

  async *#counted(body: RequestBody, onError: (error: unknown) => void): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body.open()) {
        this.#sentBytes += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      onError(error);
      throw error;
    }
  }
}

/** Reads an answer's body as it comes. @throws NetworkFailure when it breaks off; the signal's reason */
export async function* bodyOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) yield chunk;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw networkFailure(error, false);
  }
}

const MESSAGES: Readonly<Record<NetworkFailure['kind'], string>> = {
  certificate: 'its certificate is not trusted',
  'plain-http': 'it does not speak TLS',
  'no-host': 'no such host is known',
  refused: 'it refuses the connection',
  proxy: 'the proxy refuses the connection',
  idle: 'nothing moved for too long',
  dropped: 'the connection was dropped',
};

/** Built anew rather than wrapped: the runtime's own error carries the address, and with it signed queries. */
export function networkFailure(error: unknown, proxied: boolean): NetworkFailure {
  if (error instanceof NetworkFailure) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  const kind = kindOf(code, error instanceof Error ? error.name : '', proxied);
  return new NetworkFailure(code, kind, MESSAGES[kind] + (/^[A-Z_0-9a-z]{3,60}$/.test(code) ? ` (${code})` : ''));
}

function kindOf(code: string, name: string, proxied: boolean): NetworkFailure['kind'] {
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/.test(code)) return 'certificate';
  if (/WRONG_VERSION|SSL|TLS|EPROTO/.test(code)) return 'plain-http';
  if (/ENOTFOUND|EAI_|DNS/.test(code)) return 'no-host';
  if (/PROXY|Proxy/.test(code)) return 'proxy';
  if (/ECONNREFUSED|ConnectionRefused|EHOSTUNREACH|ENETUNREACH/.test(code)) return proxied ? 'proxy' : 'refused';
  return name === 'TimeoutError' || /TIMEDOUT|Timeout/.test(code) ? 'idle' : 'dropped';
}
