/** Time and chance, replaceable so that tests wait for nothing. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export interface RetryPolicy {
  /** Tries in a row without progress, the first included. */
  readonly tries: number;
  readonly baseMs: number;
  readonly maxDelayMs: number;
  /** Longest time to go on failing without progress, and the longest Retry-After that is obeyed. */
  readonly maxTotalMs: number;
}

export interface RegistryOptions {
  /** Where logins and proxies are found: HTTPS_PROXY, NO_PROXY, DOCKER_CONFIG, REGISTRY_AUTH_FILE and others. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The person's home folder, for ~/.docker/config.json and ~/.config/containers. */
  readonly homeDir: string;
  /** Hosts (`host` or `host:port`) that are spoken to in plain HTTP; loopback always is. */
  readonly insecureRegistries?: readonly string[];
  /** PEM certificates to trust besides the well-known ones. */
  readonly ca?: string;
  /** Blobs at once. */
  readonly concurrency?: number;
  /** Size of a chunk where a registry takes no blob in one piece, bytes. */
  readonly chunkBytes?: number;
  /** A connection on which nothing moves for so long counts as dropped. */
  readonly idleTimeoutMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly clock?: Clock;
  readonly userAgent?: string;
}

export const DEFAULTS = {
  concurrency: 4,
  chunkBytes: 32 * 2 ** 20,
  // Registries hash a blob of gigabytes before they answer its PUT.
  idleTimeoutMs: 300_000,
  retry: { tries: 6, baseMs: 300, maxDelayMs: 30_000, maxTotalMs: 300_000 },
  userAgent: 'inlay',
} as const;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};
