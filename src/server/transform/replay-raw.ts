import { type AnswerDifference, answerDifference, type Golden } from '../../contract/index.ts';
import type { Answers, Feeds } from '../../engine/index.ts';
import { InlayError, isInlayError } from '../../error/index.ts';
import { rawRequestOf } from './raw-request.ts';
import type { Transformer } from './transformer.ts';

export interface RawReplay {
  readonly cases: number;
  /** Undefined where all answers are the same to the last digit. */
  readonly worst: (AnswerDifference & { readonly case: number }) | undefined;
  /** False when the same request was answered differently a second time. */
  readonly deterministic: boolean;
}

/**
 * Answers the raw golden cases again, through the transform as a request goes, and tells how far the answers are from those of
 * training.
 * @param run the model, all rows of a request @param file how to name the golden file
 * @param once without asking a second time whether the answers are the same: `check` has asked
 * @throws TRANSFORM_FAILED, TRANSFORM_TIMEOUT, OUTPUT_NOT_FINITE naming the case
 */
export async function replayRaw(
  transformer: Transformer,
  golden: Pick<Golden, 'raw' | 'rawTolerance'>,
  run: (feeds: Feeds, outputs: readonly string[]) => Promise<Answers>,
  file: string,
  once = false,
): Promise<RawReplay> {
  let worst: RawReplay['worst'];
  let deterministic = true;
  for (const [i, { contentType, bytes, answer }] of golden.raw.entries()) {
    const ask = async () => {
      // A copy each time: a transform may work in the bytes that it is given.
      const request = await rawRequestOf(transformer.accepts, contentType, bytes.slice());
      const outputs = await run(await transformer.feeds(request), transformer.outputs);
      return transformer.answer(outputs, request);
    };
    const [first, second] = await naming(`${file}: raw case ${i}`, async () => {
      const answered = await ask();
      return [answered, once ? answered : await ask()] as const;
    });
    deterministic &&= first === second;
    const found = answerDifference(answer, JSON.parse(first), golden.rawTolerance);
    if (found && (!worst || excess(found) > excess(worst))) worst = { ...found, case: i };
  }
  return { cases: golden.raw.length, worst, deterministic };
}

/** Whether a replay's answers are others than training's. */
export function rawExceeds({ worst }: RawReplay): boolean {
  return worst !== undefined && worst.size > worst.allowed;
}

/** The error of raw cases that are answered differently. */
export function rawMismatch(worst: NonNullable<RawReplay['worst']>, file: string): InlayError {
  const allowed = Number.isFinite(worst.size) ? ` (allowed difference ${worst.allowed})` : '';
  const at = worst.path === '' ? 'the answer' : worst.path;
  return new InlayError(
    'GOLDEN_MISMATCH',
    `the transform answers differently from training: ${file} raw case ${worst.case}, ${at}: training saw ${shown(worst.expected)}, this is ${shown(worst.actual)}${allowed}`,
    {
      hint: "Does the transform do what training's preprocessing does, to the order of columns and the rounding? Decoders of JPEG differ a little: rawTolerance allows for it.",
    },
  );
}

/** 1 is just allowed. */
function excess({ size, allowed }: AnswerDifference): number {
  return allowed === 0 ? Number.POSITIVE_INFINITY : size / allowed;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}

async function naming<T>(at: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const own = isInlayError(error) ? error : undefined;
    const code = own && own.code !== 'INPUT_INVALID' ? own.code : 'TRANSFORM_FAILED';
    const why = own?.cause instanceof Error ? `: ${own.cause.message}` : '';
    throw new InlayError(code, `${at}: ${(error as Error).message}${why}`, {
      cause: error,
      hint: own?.hint === undefined || own.cause !== undefined ? 'inlay serve shows it in its log.' : own.hint,
    });
  }
}
