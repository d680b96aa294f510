import type { InlayError } from '../../error/index.ts';
import { answerError, failure, interrupted, type RegistryAnswer, type Where } from '../failure.ts';
import { type Clock, DEFAULTS, type RegistryOptions, type RetryPolicy, systemClock } from '../options.ts';
import { nextDelay } from './backoff.ts';
import { NetworkFailure } from './transport.ts';

const PROGRESS_BYTES = 64 * 1024;

/** Counts the failures of one piece of work and waits between its tries; progress makes it patient again. */
export class Patience {
  readonly #where: Where;
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  #tries = 0;
  #since = 0;

  constructor(where: Where, options: RegistryOptions, signal: AbortSignal | undefined) {
    this.#where = where;
    this.#policy = { ...DEFAULTS.retry, ...options.retry };
    this.#clock = options.clock ?? systemClock;
    this.#signal = signal;
  }

  /** Bytes that have got through since the last failure. Less than `PROGRESS_BYTES` is none: it would go on for days. */
  progressed(bytes: number): void {
    if (bytes >= PROGRESS_BYTES) this.#tries = 0;
  }

  /**
   * Returns when it is time for the next try.
   * @throws the error of the last try when there shall be none; INTERRUPTED
   */
  async failed(reason: NetworkFailure | RegistryAnswer, retryAfterMs?: number): Promise<void> {
    const now = this.#clock.now();
    if (this.#tries === 0) this.#since = now;
    this.#tries += 1;
    const hopeless =
      reason instanceof NetworkFailure && (reason.kind === 'certificate' || reason.kind === 'plain-http');
    const stubborn = reason instanceof NetworkFailure && ['no-host', 'refused', 'proxy'].includes(reason.kind);
    const delay = hopeless
      ? undefined
      : nextDelay(
          { tries: this.#tries, elapsedMs: now - this.#since, retryAfterMs, stubborn },
          this.#policy,
          this.#clock.random(),
        );
    if (delay === undefined) throw this.#givenUp(reason, retryAfterMs);
    try {
      await this.#clock.sleep(delay, this.#signal);
    } catch {
      throw interrupted(this.#where);
    }
  }

  #givenUp(reason: NetworkFailure | RegistryAnswer, retryAfterMs: number | undefined): InlayError {
    if (reason instanceof NetworkFailure) return unreachable(this.#where, reason, this.#tries);
    const wait = retryAfterMs === undefined ? '' : `; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
    return answerError(this.#where, { ...reason, text: reason.text + wait }, this.#tries);
  }
}

function unreachable(where: Where, reason: NetworkFailure, tries: number): InlayError {
  const { host } = where;
  const hints: Readonly<Record<NetworkFailure['kind'], string>> = {
    certificate: `Give the certificate of who signed it: --ca-file FILE. Or is ${host} the wrong host?`,
    'plain-http': `If ${host} speaks plain HTTP, say so: --insecure-registry ${host}.`,
    'no-host': `Look for a typing mistake in ${host}; behind a proxy, set HTTPS_PROXY.`,
    refused: `Is the registry running, and is the port right? Nothing listens at ${host}.`,
    proxy: 'Look at HTTPS_PROXY and HTTP_PROXY, or except the registry with NO_PROXY.',
    idle: 'Run it again: what has arrived is not sent again.',
    dropped: `Run it again: what has arrived is not sent again. Some registries drop the connection when the repository has to be created first.`,
  };
  return failure('REGISTRY_UNREACHABLE', where, `${reason.message}${tries > 1 ? `, ${tries} times` : ''}`, {
    hint: hints[reason.kind],
    cause: reason,
  });
}
