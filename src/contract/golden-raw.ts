// valibot, not zod: this is bundled into the image.
import * as v from 'valibot';
import { InlayError } from '../error/index.ts';

const contentType = v.pipe(v.string(), v.regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/, 'expected a media type'));

/** `{"request": …, "answer": …}` of a golden file: the request is JSON, text, or bytes in base64. */
export const rawCaseSchema = v.strictObject({
  request: v.union(
    [
      v.strictObject({ json: v.unknown() }),
      v.strictObject({ contentType, text: v.string() }),
      v.strictObject({ contentType, base64: v.string() }),
    ],
    'expected {"json": …}, {"contentType", "text"} or {"contentType", "base64"}',
  ),
  answer: v.unknown(),
});

/** A request as a transform gets it, with the answer that training would give. */
export interface RawCase {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** The whole body of the answer, a JSON value. */
  readonly answer: unknown;
}

/** Where an answer is farthest from what training saw. */
export interface AnswerDifference {
  /** Within the answer: `prediction[2]`; empty for all of it. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
  /** Of numbers; infinite for anything else that differs. */
  readonly size: number;
  readonly allowed: number;
}

/** @param at how to name it @throws GOLDEN_INVALID */
export function rawCaseOf({ request, answer }: v.InferOutput<typeof rawCaseSchema>, at: string): RawCase {
  const utf8 = new TextEncoder();
  if ('json' in request)
    return { contentType: 'application/json', bytes: utf8.encode(JSON.stringify(request.json)), answer };
  if ('text' in request) return { contentType: request.contentType, bytes: utf8.encode(request.text), answer };
  try {
    return { contentType: request.contentType, bytes: Uint8Array.fromBase64(request.base64), answer };
  } catch (cause) {
    throw new InlayError('GOLDEN_INVALID', `${at}: request.base64 is not base64`, { cause });
  }
}

/**
 * The largest difference between two JSON values, in units of what is allowed: numbers within the tolerance, all else the same.
 * Undefined where they are the same to the last digit.
 * @param tolerance absolute, or relative to expected values beyond 1
 */
export function answerDifference(
  expected: unknown,
  actual: unknown,
  tolerance: number,
  path = '',
): AnswerDifference | undefined {
  const other = { path, expected, actual, size: Number.POSITIVE_INFINITY, allowed: 0 };
  if (typeof expected === 'number' && typeof actual === 'number') {
    const size = Math.abs(expected - actual);
    return size === 0 ? undefined : { ...other, size, allowed: tolerance * Math.max(1, Math.abs(expected)) };
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length)
      return { ...other, expected: `${expected.length} values`, actual: `${actual.length} values` };
    return worst(expected.map((value, i) => answerDifference(value, actual[i], tolerance, `${path}[${i}]`)));
  }
  if (isObject(expected) && isObject(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return worst(
      keys.map((key) => answerDifference(expected[key], actual[key], tolerance, path === '' ? key : `${path}.${key}`)),
    );
  }
  return expected === actual ? undefined : other;
}

function worst(found: readonly (AnswerDifference | undefined)[]): AnswerDifference | undefined {
  const excess = ({ size, allowed }: AnswerDifference) => (allowed === 0 ? Number.POSITIVE_INFINITY : size / allowed);
  return found.reduce((most, one) => (one && (!most || excess(one) > excess(most)) ? one : most), undefined);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
