import type { Awaiting } from '../body-watch.ts';
import type { DirectRequest } from './direct-request.ts';

/** A route that may be asked without Bun's server. */
export interface DirectRoute {
  /** GET takes no body, POST one whose length is told. */
  readonly method: 'GET' | 'POST';
  /** A request whose head was read. */
  begin(request: DirectRequest): DirectJob;
}

/** A request whose body is awaited. */
export interface DirectJob extends Awaiting {
  /** The body comes later: limits of time and memory hold from now on. */
  await(): void;
  /**
   * The body is there; whoever was failed before ignores it.
   * @param bytes its bytes, one character each: may be part of a longer text, which it keeps in memory
   */
  take(bytes: string): void;
}
