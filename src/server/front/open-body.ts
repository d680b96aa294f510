import { InlayError } from '../../error/index.ts';
import type { DirectJob } from './direct-route.ts';

/** A body that is on its way. */
export class OpenBody {
  readonly #job: DirectJob;
  /** What has come, one character a byte. */
  #came: string;
  #missing: number;

  /** @param came what came with the head, one character a byte @param missing bytes that are still to come */
  constructor(job: DirectJob, came: string, missing: number) {
    this.#job = job;
    this.#came = came;
    this.#missing = missing;
    job.await();
  }

  /** @returns how many of the bytes are behind the body, where it is whole; it is given to its request then */
  take(bytes: Buffer): number | undefined {
    const missing = this.#missing;
    // Of one that was refused nothing is kept.
    this.#came = this.#job.arrived ? '' : this.#came + bytes.toString('latin1', 0, missing);
    this.#missing -= bytes.length;
    if (this.#missing > 0) return undefined;
    if (!this.#job.arrived) this.#job.take(this.#came);
    return bytes.length - missing;
  }

  /** The rest does not come. */
  fail(): void {
    if (this.#job.arrived) return;
    this.#job.arrived = true;
    this.#job.fail(new InlayError('CLIENT_GONE', 'the client went away before its whole body had come'));
  }
}
