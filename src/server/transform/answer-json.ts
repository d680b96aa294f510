import { InlayError } from '../../error/index.ts';

/**
 * A postprocess's answer as JSON: typed arrays are lists, 64-bit integers numbers where these are exact, else text.
 * @throws TRANSFORM_FAILED for what JSON cannot hold, OUTPUT_NOT_FINITE for NaN and infinity
 */
export function answerJson(answer: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(answer, (_, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new InlayError('OUTPUT_NOT_FINITE', `the transform's answer has a value that is not finite (${value})`, {
          hint: 'JSON has no such number: leave it out, or answer null.',
        });
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
      return ArrayBuffer.isView(value) && !(value instanceof DataView)
        ? Array.from(value as unknown as Iterable<unknown>)
        : value;
    }) as string | undefined;
  } catch (cause) {
    if (cause instanceof InlayError) throw cause;
    throw noJson(cause);
  }
  if (text === undefined) throw noJson(undefined);
  return text;
}

function noJson(cause: unknown): InlayError {
  return new InlayError('TRANSFORM_FAILED', "the transform's answer is no JSON value", {
    cause,
    hint: 'postprocess returns an object of plain values.',
  });
}
