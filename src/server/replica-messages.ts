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
      /** The folder of ONNX Runtime. */
      readonly onnxRuntime: string;
      /** How many serve, the main one included. */
      readonly threads: number;
      readonly draining: Int32Array;
      /** See Liveness. */
      readonly pulses: Int32Array;
      /** This thread's place in them. */
      readonly own: number;
      /** The folder of the bundled transform, where there is one. */
      readonly transform: string | undefined;
    }
  /** What the main thread has proven of running rows together. */
  | { readonly kind: 'proven'; readonly batch: BatchProof }
  | { readonly kind: 'drain' }
  | { readonly kind: 'hurry' }
  /** The lines that it gave are written, or lost. */
  | { readonly kind: 'logged'; readonly written: boolean };

export type FromReplica =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'log'; readonly line: string }
  /** Lines for the prediction log: no more come before these are `logged`. */
  | { readonly kind: 'predictions'; readonly lines: string }
  | { readonly kind: 'drained' };
