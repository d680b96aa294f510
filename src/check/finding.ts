import { type ErrorCode, InlayError } from '../error/index.ts';

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
  'LOCALE',
  'TOKENS_ASCII',
  'NOT_DETERMINISTIC',
  'BATCH_CHANGES_ANSWERS',
  'GOLDEN_MISSING',
  'TRANSFORM_UNPROVEN',
  'SAMPLE_MISSING',
  'TRAIN_UNPINNED',
  'TRAIN_VERSION_SKEW',
  'TRAIN_CONVERTER_SKEW',
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

/** Errors that a person may accept with `--skip`: the model runs all the same. `golden` stands for its answers. */
const SKIPPABLE: Readonly<Record<string, readonly Finding['code'][]>> = {
  golden: ['GOLDEN_MISMATCH'],
  weights: ['WEIGHTS_NAN'],
  random: ['RANDOM_OPERATOR', 'NOT_DETERMINISTIC'],
  memory: ['MEMORY_EXCEEDED'],
  size: ['MODEL_TOO_LARGE'],
};

/**
 * The codes behind the words of `--skip`, sorted.
 * @throws USAGE
 */
export function acceptedCodes(topics: readonly string[]): Finding['code'][] {
  const codes = topics.flatMap((topic) => {
    const found = SKIPPABLE[topic];
    if (found) return found;
    throw new InlayError('USAGE', `--skip ${topic}: there is no such check to skip`, {
      hint: `Choose from ${Object.keys(SKIPPABLE).join(', ')}.`,
    });
  });
  return [...new Set(codes)].sort();
}
