import type { Connection } from './connection.ts';
import type { DirectHead, DirectLimits } from './direct-head.ts';
import type { Peer } from './direct-request.ts';
import type { DirectRoute } from './direct-route.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { Pipe } from './pipe.ts';

/** What all connections of a front door share. */
export interface ConnectionHost {
  readonly limits: DirectLimits<DirectRoute>;
  /** Whether answers are the last on their connections. */
  readonly draining: boolean;
  /** The head that was read last: clients send the same one again and again, on one connection and on many. */
  recent: DirectHead<DirectRoute> | undefined;
  /** Requests that were read and whose answers are not on their way yet. */
  owed: number;
  readonly held: HeldBytes;
  /** A whole Date line. */
  date(): string;
  /** Calls `flush` of a connection in a moment, once what else is answered now is answered. */
  flushSoon(connection: Connection): void;
  /** Connects to the server behind the door. */
  connectInner(pipe: Pipe, peer: Peer): void;
  /** How long a connection may last that is opened now, milliseconds. */
  ageLimit(): number;
}
