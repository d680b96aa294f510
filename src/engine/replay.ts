import { type Difference, type Golden, type Tensor, worstDifference } from '../contract/index.ts';
import { InlayError } from '../error/index.ts';
import type { Engine } from './engine.ts';

export interface Replay {
  readonly rows: number;
  /** Undefined when nothing was compared. */
  readonly worst: Difference | undefined;
  /** False when the same inputs were answered differently a second time. */
  readonly deterministic: boolean;
}

/**
 * Answers the golden cases again and tells how far the answers are from those of training.
 * @param once without asking a second time whether the answers are the same: `check` has asked
 */
export async function replayGolden(engine: Engine, golden: Golden, once = false): Promise<Replay> {
  const answers: Readonly<Record<string, Tensor>>[] = [];
  let deterministic = true;
  let rows = 0;
  for (const { inputs, outputs } of golden.cases) {
    const names = Object.keys(outputs);
    const first = await engine.run(inputs, names);
    if (!once) {
      const second = await engine.run(inputs, names);
      deterministic &&= names.every((name) => sameTensor(first[name] as Tensor, second[name] as Tensor));
    }
    rows += Object.values(inputs)[0]?.shape[0] ?? 1;
    answers.push(first);
  }
  return { rows, worst: worstDifference(golden, answers), deterministic };
}

/** Bit for bit. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  return (
    a.data.length === b.data.length &&
    (a.data as ArrayLike<unknown> & { every: Array<unknown>['every'] }).every((value, i) => Object.is(value, b.data[i]))
  );
}

/** The error of golden cases that are answered differently, with both numbers. */
export function goldenMismatch(worst: Difference, file: string, casts: readonly string[] = []): InlayError {
  const by =
    typeof worst.expected === 'number' && typeof worst.actual === 'number'
      ? ` (allowed difference ${worst.allowed})`
      : '';
  return new InlayError(
    'GOLDEN_MISMATCH',
    `the model answers differently from training: ${file} row ${worst.row}: training saw ${worst.expected} in ${worst.output}, this runtime gives ${worst.actual}${by}${casts.length > 0 ? `; input ${casts.join(', input ')}` : ''}`,
    {
      hint:
        casts.length > 0
          ? 'The cast changes the answers: export the model with the datatype of training, or train with the model’s.'
          : 'Is this the model that was trained, exported with the preprocessing that training used, in the same datatype?',
    },
  );
}
