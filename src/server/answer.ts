import { type ErrorCode, isInlayError } from '../error/index.ts';
import type { Log, LogFields } from './log.ts';

/** Codes that only an HTTP answer has. */
export type HttpErrorCode =
  | 'BODY_INVALID'
  | 'BODY_TOO_LARGE'
  | 'BODY_TIMEOUT'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'OVERLOADED'
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
  NOT_LIVE: 503,
  OVERLOADED: 503,
  TOO_MANY_ROWS: 413,
  CLIENT_GONE: 499,
  TRANSFORM_TIMEOUT: 504,
};
/** Seconds after which a client that was refused for load may try again: a queue is no longer than that. */
export const RETRY_AFTER = { 'retry-after': '1' };
const JSON_HEADERS = { 'content-type': 'application/json' };

/** Makes an answer of a JSON value: a Response, or what takes its place where Bun's server is not asked. */
export type MakeAnswer<A> = (value: unknown, status: number, headers: Readonly<Record<string, string>>) => A;

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

/** How a family of routes tells of a failure. */
export type ErrorBody = (failure: Failure) => unknown;

/**
 * What to tell of an error, which is logged where it is the server's own. Nothing of the inside leaks out.
 * @param fields what ties its log line to the request
 */
export function describeError(error: unknown, log: Log, fields: LogFields = {}): Failure {
  if (error instanceof HttpError) return error;
  if (isInlayError(error)) {
    const { code, message, hint } = error;
    const status = STATUS[code] ?? 500;
    if (status === 500 || status === 504) log.error(message, { code, cause: stackOf(error.cause), ...fields });
    return { status, code, message, hint, headers: code === 'OVERLOADED' ? RETRY_AFTER : {} };
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error), { code: 'INTERNAL', ...fields });
  const message = 'the server failed on this request';
  return { status: 500, code: 'INTERNAL', message, hint: 'Its log has the cause.', headers: {} };
}

function stackOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/**
 * The JSON answer to a failed request.
 * @param fields what ties its log line to the request
 */
export function errorAnswer(error: unknown, log: Log, fields: LogFields = {}, body: ErrorBody = ownBody): Response {
  return makeErrorAnswer(error, log, fields, body, json);
}

/** The same, in whichever form answers have. */
export function makeErrorAnswer<A>(
  error: unknown,
  log: Log,
  fields: LogFields,
  body: ErrorBody = ownBody,
  make: MakeAnswer<A>,
): A {
  const failure = describeError(error, log, fields);
  return make(body(failure), failure.status, failure.headers);
}

/** `{"error": {"code", "message", "hint"?}}` */
function ownBody({ code, message, hint }: Failure) {
  return { error: { code, message, ...(hint ? { hint } : {}) } };
}
