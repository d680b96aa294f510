import type { Awaiting } from '../body-watch.ts';
import type { DirectRequest } from './direct-request.ts';

/** A route that may be asked without Bun's server. */
export interface DirectRoute {
  /** A request whose head was read. */
  begin(request: DirectRequest): DirectJob;
}

/** A request whose body is awaited. */
export interface DirectJob extends Awaiting {
  /** The body comes later: limits of time and memory hold from now on. */
  await(): void;
  /**
   * The body is there: bytes `[from, to)`, which are the connection's again afterwards. Whoever was failed before ignores it.
   * @param text the same, one character a byte
   */
  take(text: string, bytes: Buffer, from: number, to: number): void;
}
