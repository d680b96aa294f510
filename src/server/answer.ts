import { type ErrorCode, isInlayError } from '../error/index.ts';
import type { Log, LogFields } from './log.ts';

/** Codes that only an HTTP answer has. */
export type HttpErrorCode =
  | 'BODY_INVALID'
  | 'BODY_TOO_LARGE'
  | 'BODY_TIMEOUT'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'INTERNAL';

/** A request that is answered with an error. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: HttpErrorCode;
  readonly hint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: HttpErrorCode,
    message: string,
    more: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = more.hint;
    this.headers = more.headers ?? {};
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  INPUT_INVALID: 400,
  NOT_READY: 503,
  OVERLOADED: 503,
  CLIENT_GONE: 499,
};
/** Seconds after which a client that was refused for load may try again: a queue is no longer than that. */
const RETRY_AFTER = { 'retry-after': '1' };
const JSON_HEADERS = { 'content-type': 'application/json' };

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { ...JSON_HEADERS, ...headers } });
}

/**
 * The JSON answer to a failed request: `{"error": {"code", "message", "hint"?}}`. Nothing of the inside leaks out.
 * @param fields what ties its log line to the request
 */
export function errorAnswer(error: unknown, log: Log, fields: LogFields = {}): Response {
  if (error instanceof HttpError) return json(body(error.code, error.message, error.hint), error.status, error.headers);
  if (isInlayError(error)) {
    const status = STATUS[error.code] ?? 500;
    if (status === 500) log.error(error.message, { code: error.code, ...fields });
    return json(body(error.code, error.message, error.hint), status, error.code === 'OVERLOADED' ? RETRY_AFTER : {});
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error), { code: 'INTERNAL', ...fields });
  return json(body('INTERNAL', 'the server failed on this request', 'Its log has the cause.'), 500);
}

function body(code: string, message: string, hint: string | undefined) {
  return { error: { code, message, ...(hint ? { hint } : {}) } };
}
