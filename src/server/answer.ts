import { type ErrorCode, isInlayError } from '../error/index.ts';
import type { Log } from './log.ts';

/** Codes that only an HTTP answer has. */
export type HttpErrorCode = 'BODY_INVALID' | 'BODY_TOO_LARGE' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'INTERNAL';

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

const STATUS: Partial<Record<ErrorCode, number>> = { INPUT_INVALID: 400, NOT_READY: 503 };
const JSON_HEADERS = { 'content-type': 'application/json' };

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { ...JSON_HEADERS, ...headers } });
}

/** What a client is told of a failed request. */
export interface Failure {
  readonly status: number;
  readonly code: ErrorCode | HttpErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What to tell of an error, which is logged where it is the server's own. Nothing of the inside leaks out. */
export function describeError(error: unknown, log: Log): Failure {
  if (error instanceof HttpError) return error;
  if (isInlayError(error)) {
    const { code, message, hint } = error;
    const status = STATUS[code] ?? 500;
    if (status === 500) log.error(message, { code });
    return { status, code, message, hint, headers: {} };
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error), { code: 'INTERNAL' });
  const message = 'the server failed on this request';
  return { status: 500, code: 'INTERNAL', message, hint: 'Its log has the cause.', headers: {} };
}

/** The JSON answer to a failed request: `{"error": {"code", "message", "hint"?}}`. */
export function errorAnswer(error: unknown, log: Log): Response {
  const { status, code, message, hint, headers } = describeError(error, log);
  return json({ error: { code, message, ...(hint ? { hint } : {}) } }, status, headers);
}
