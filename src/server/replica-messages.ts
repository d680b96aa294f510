import type { BatchProof, EngineOptions } from '../engine/index.ts';
import type { ErrorCode } from '../error/index.ts';
import type { Settings } from './settings.ts';

/** The transform that a replica loads too. */
export interface ReplicaTransform {
  /** The folder of its bundle. */
  readonly dir: string;
  /** A number a serving thread; the main thread's is the first. */
  readonly beats: Int32Array;
  /** Whose number is this replica's. */
  readonly thread: number;
}

/** To a replica: first what to serve, later that it should drain. `hurry` ends the drain's wait. */
export type ToReplica =
  | {
      readonly kind: 'serve';
      readonly settings: Settings;
      readonly spec: EngineOptions;
      readonly batch: BatchProof;
      /** How many serve, the main one included. */
      readonly threads: number;
      readonly draining: Int32Array;
      readonly transform: ReplicaTransform | undefined;
    }
  | { readonly kind: 'drain' }
  | { readonly kind: 'hurry' };

export type FromReplica =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'log' | 'print'; readonly line: string }
  | { readonly kind: 'drained' };
