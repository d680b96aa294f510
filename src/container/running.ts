import type { OciLayout, Platform, ResolvedImage } from '../image/index.ts';

export const ENGINES = ['docker', 'podman', 'nerdctl', 'runc', 'process'] as const;
/** What runs an image: a container engine, runc alone, or nothing but the image's own files. */
export type EngineName = (typeof ENGINES)[number];

export type Env = Readonly<Record<string, string | undefined>>;

export interface RunOptions {
  readonly layout: OciLayout;
  readonly reference: string;
  readonly platform: Platform;
  /** Port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Port that the server listens on inside a container engine; unset: as the image says. */
  readonly containerPort?: number | undefined;
  /** Added to the image's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Limits;
  /** Unset: the first that works, in the order of ENGINES. */
  readonly engine?: EngineName;
  /** Where root file systems are unpacked. */
  readonly stateDir: string;
  /** This process's environment: PATH to find the engines, and what they need. */
  readonly processEnv: Env;
  readonly onOutput?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface Limits {
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** What an engine is given: everything is decided but how to start it. */
export interface Start {
  readonly image: ResolvedImage;
  readonly layout: OciLayout;
  readonly port: number;
  readonly containerPort: number;
  /** The server is not inlay's, so it gets what servers usually have: more capabilities, a root file system to write to. */
  readonly foreign: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly stateDir: string;
  readonly processEnv: Env;
}

/** A started engine process. */
export interface Started {
  readonly child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  /** What this engine does not enforce, a sentence each. */
  readonly notes: readonly string[];
  /** Asks the server to stop. */
  readonly terminate: () => Promise<void> | void;
  /** Ends it at once. */
  readonly kill: () => Promise<void> | void;
  /** Removes what the engine left. */
  readonly clean: () => Promise<void> | void;
}

export interface RunningImage {
  readonly engine: EngineName;
  readonly url: string;
  /** The server is not inlay's: it is ready when it answers anything. */
  readonly foreign: boolean;
  readonly notes: readonly string[];
  /** The exit code of the image's program. */
  readonly exited: Promise<number>;
  /** The last lines it wrote. */
  readonly lastLines: () => readonly string[];
  /** Stops it, with SIGTERM first; after `graceMs` (30 s) it is killed. Returns the exit code. */
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<number>;
}
