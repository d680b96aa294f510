import { HttpError } from './answer.ts';
import { collectAfter } from './collect-after.ts';
import { MOST_LISTS, MOST_NESTED, nestingFault } from './nesting.ts';

/**
 * Reads a request's body, at most `limit` bytes of it.
 * @throws HttpError 413 when it is larger
 */
export function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length');
  if (announced === null) return readChunks(request, limit);
  if (Number(announced) > limit) return Promise.reject(tooLarge(limit, `${announced} bytes`));
  return request.bytes();
}

/**
 * Reads a request's body as text, at most `limit` bytes of it.
 * @param loose quicker: bytes that are no UTF-8 become U+FFFD; for bodies that may hold no such text anyway
 * @throws HttpError 413 when it is larger, 400 when it is no UTF-8
 */
export function readText(request: Request, limit: number, loose: boolean): Promise<string> {
  const announced = request.headers.get('content-length');
  if (announced === null) return readChunks(request, limit).then(utf8);
  if (Number(announced) > limit) return Promise.reject(tooLarge(limit, `${announced} bytes`));
  return loose ? request.text() : request.bytes().then(utf8);
}

const LOOSE = new TextDecoder('utf-8');

/** Bytes as text; what is no UTF-8 becomes U+FFFD. */
export function looseUtf8(bytes: Uint8Array): string {
  return LOOSE.decode(bytes);
}

/** @throws HttpError 400 */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notUtf8();
  }
}

/** What is wrong with a text that has U+FFFD where no text may be. */
export function notUtf8(): HttpError {
  return new HttpError(400, 'BODY_INVALID', 'the body is not UTF-8 text', { hint: 'Send JSON in UTF-8.' });
}

async function readChunks(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit, 'more');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * A body's JSON.
 * @throws HttpError 400
 */
export function parseJson(text: string): unknown {
  if (text === '')
    throw new HttpError(400, 'BODY_INVALID', 'the body is empty', {
      hint: 'Send JSON, for example {"data": [[...]]}.',
    });
  const fault = nestingFault(text);
  if (fault === 'deep')
    throw new HttpError(400, 'BODY_INVALID', `the body is nested deeper than ${MOST_NESTED} lists and objects`);
  if (fault === 'many')
    throw new HttpError(413, 'BODY_TOO_LARGE', `the body has more than ${MOST_LISTS} lists and objects`, {
      hint: 'Send fewer rows a request.',
    });
  collectAfter(text.length);
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = (error as Error).message.replace(/^JSON Parse error: /, '');
    const token = /\b(NaN|-?Infinity)\b/.exec(text)?.[0];
    throw new HttpError(
      400,
      'BODY_INVALID',
      `the body is not JSON: ${why}`,
      token ? { hint: `JSON has no ${token}. Send finite numbers.` } : {},
    );
  }
}

/** @param came how much it was, in words */
export function tooLarge(limit: number, came: string): HttpError {
  // The rest of the body is not read, so the connection cannot be used again.
  return new HttpError(413, 'BODY_TOO_LARGE', `the body may have ${limit} bytes; this one has ${came}`, {
    hint: 'Send fewer rows a request, or raise MAX_BODY_BYTES.',
    headers: { connection: 'close' },
  });
}
