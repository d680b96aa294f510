/**
 * Every way in which inlay fails on purpose. Scripts rely on these words (`--json` prints them), docs/errors.md
 * explains each, and a test holds the two lists together.
 */
export type ErrorCode =
  // what the person gave
  | 'USAGE'
  | 'PROJECT_NOT_FOUND'
  | 'PROJECT_EXISTS'
  | 'CONFIG_INVALID'
  | 'FILE_NOT_FOUND'
  | 'FILE_UNREADABLE'
  | 'FILE_REFUSED'
  | 'DISK_FULL'
  | 'PATH_ESCAPES'
  | 'LABELS_INVALID'
  | 'CONTRACT_INVALID'
  | 'ENVIRONMENT_INVALID'
  // the model
  | 'MODEL_INVALID'
  | 'MODEL_UNSUPPORTED'
  | 'MODEL_LOAD_FAILED'
  | 'OUTPUT_NOT_FINITE'
  | 'INPUT_INVALID'
  | 'SAMPLE_INVALID'
  | 'MODEL_FORMAT'
  | 'MODEL_OPAQUE'
  | 'EXTERNAL_DATA_MISSING'
  | 'EXTERNAL_DATA_ESCAPES'
  | 'EXTERNAL_DATA_SHORT'
  | 'GOLDEN_INVALID'
  | 'FEATURES_INVALID'
  | 'GOLDEN_DTYPE'
  | 'GOLDEN_MISMATCH'
  | 'METRICS_INVALID'
  | 'CHECK_FAILED'
  // the transform
  | 'TRANSFORM_INVALID'
  | 'TRANSFORM_NATIVE'
  | 'TRANSFORM_FAILED'
  | 'TRANSFORM_TIMEOUT'
  // images
  | 'BASE_UNAVAILABLE'
  | 'BASE_MOVED'
  | 'BASE_INVALID'
  | 'SERVER_IMAGE_INVALID'
  | 'LOCK_INVALID'
  | 'RUNTIME_UNAVAILABLE'
  | 'INTEGRITY_MISMATCH'
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_INVALID'
  | 'IMAGE_OUTDATED'
  | 'STORE_BUSY'
  | 'PLATFORM_UNSUPPORTED'
  // registries
  | 'REFERENCE_INVALID'
  | 'CREDENTIALS_INVALID'
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_UNAUTHORIZED'
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_BUSY'
  | 'REGISTRY_FAILED'
  | 'REGISTRY_UNSUPPORTED'
  | 'TAG_EXISTS'
  // signatures
  | 'KEY_INVALID'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  // Kubernetes
  | 'KUBECONFIG_INVALID'
  | 'CLUSTER_UNREACHABLE'
  | 'CLUSTER_FORBIDDEN'
  | 'CLUSTER_NOT_FOUND'
  | 'CLUSTER_CONFLICT'
  | 'CLUSTER_REFUSED'
  | 'CLUSTER_FAILED'
  // releases
  | 'SERVICE_NOT_FOUND'
  | 'JOURNAL_INVALID'
  | 'RELEASE_BUSY'
  | 'RELEASE_UNFINISHED'
  | 'RELEASE_REFUSED'
  | 'RELEASE_FAILED'
  | 'RELEASE_PAUSED'
  | 'NOTHING_TO_DO'
  | 'EXPOSITION_INVALID'
  | 'TRAINING_FAILED'
  | 'VERSION_TAKEN'
  // sources
  | 'SOURCE_INVALID'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_UNREACHABLE'
  | 'SOURCE_UNAUTHORIZED'
  | 'SOURCE_FAILED'
  // the inventory
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_INVALID'
  | 'HUB_TOKEN_MISSING'
  // pruning
  | 'PRUNE_UNDECLARED'
  | 'PRUNE_REFUSED'
  | 'PRUNE_BUSY'
  | 'CLOCK_WRONG'
  // running
  | 'INTERRUPTED'
  | 'PORT_IN_USE'
  | 'CONTAINER_FAILED'
  | 'ENGINE_UNAVAILABLE'
  | 'COMMAND_FAILED'
  | 'NOT_READY'
  | 'NOT_LIVE'
  | 'OVERLOADED'
  | 'TOO_MANY_ROWS'
  | 'CLIENT_GONE';

export interface InlayErrorOptions {
  /** What to do about it, one sentence or two. */
  readonly hint?: string | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/** An error for the person who meets it: what failed and why (`message`), what to do (`hint`), a stable `code`. */
export class InlayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: InlayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'InlayError';
    this.code = code;
    this.hint = options.hint;
  }
}

export function isInlayError(error: unknown): error is InlayError {
  return error instanceof InlayError;
}
