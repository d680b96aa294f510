/** A server to measure, ready to be started. */
export interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The variable or words that take the port. */
  readonly listen: (port: number) => {
    readonly env?: Readonly<Record<string, string>>;
    readonly words?: readonly string[];
  };
  readonly path: string;
  /** The request's JSON body. */
  readonly body: string;
  /** The numbers in an answer, to be compared with the model's own. */
  readonly numbers: (answer: unknown) => readonly number[];
}

/** A peer that this machine cannot run, and why. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
}

export function isMissing(peer: Peer | Missing): peer is Missing {
  return 'reason' in peer;
}
