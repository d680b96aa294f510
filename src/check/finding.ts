import type { ErrorCode } from '../error/index.ts';

/**
 * What `check` finds beyond the errors that reading and loading a project can end with. docs/checks.md explains each
 * and a test holds the two together.
 */
export const CHECK_CODES = [
  'IR_TOO_NEW',
  'OPSET_TOO_NEW',
  'OPERATOR_UNKNOWN',
  'RANDOM_OPERATOR',
  'WEIGHTS_NAN',
  'MODEL_TOO_LARGE',
  'MEMORY_EXCEEDED',
  'GPU_WANTED',
  'NOT_DETERMINISTIC',
  'BATCH_CHANGES_ANSWERS',
  'GOLDEN_MISSING',
  'SAMPLE_MISSING',
  'TRAIN_UNPINNED',
  'TRAIN_VERSION_SKEW',
  'TRAIN_GPU',
  'TRAIN_REQUIREMENTS_INVALID',
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];

/** An error is what can prevent or change an answer; it refuses the release. The rest are warnings. */
export interface Finding {
  readonly code: ErrorCode | CheckCode;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly hint?: string | undefined;
  /** The file that it is about, relative to the project. */
  readonly path?: string | undefined;
}

/** What was found to be in order, a line a topic. */
export interface Fact {
  readonly topic: string;
  readonly text: string;
}
