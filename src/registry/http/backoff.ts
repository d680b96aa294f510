import type { RetryPolicy } from '../options.ts';

/** What is known when a try has failed. */
export interface FailedTry {
  /** Tries so far without progress, this one included. */
  readonly tries: number;
  /** Since the first of them, milliseconds. */
  readonly elapsedMs: number;
  /** What the registry asked for with Retry-After, milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** A failure that seldom mends itself (no such host, connection refused): fewer tries. */
  readonly stubborn?: boolean;
}

const STUBBORN_TRIES = 3;

/** How long to wait before the next try, milliseconds; undefined to give up. Exponential, with jitter of a half. */
export function nextDelay(failed: FailedTry, policy: RetryPolicy, random: number): number | undefined {
  const tries = failed.stubborn ? Math.min(policy.tries, STUBBORN_TRIES) : policy.tries;
  if (failed.tries >= tries) return undefined;
  const exponential = Math.min(policy.baseMs * 2 ** (failed.tries - 1), policy.maxDelayMs);
  const delay = Math.max(exponential * (0.5 + random / 2), failed.retryAfterMs ?? 0);
  return failed.elapsedMs + delay > policy.maxTotalMs ? undefined : delay;
}

/** Statuses that another try may change. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Retry-After as seconds or as a date (RFC 9110, 10.2.3), in milliseconds from `nowMs`. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
