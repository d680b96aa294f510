import { type Contract, type Golden, isFloat, type Tensor } from '../contract/index.ts';
import { cpuLimit, Engine, type Feeds, threadsFor } from '../engine/index.ts';

/** How two models answer the same golden inputs. */
export interface AnswersDiff {
  readonly rows: number;
  /** Rows whose largest value is in another column, for classifiers. */
  readonly labelFlips: number | undefined;
  /** Share of the rows that get the same label, or, without labels, the same numbers to 1e-5. */
  readonly agreement: number;
  readonly largestShift: number;
  /** Counted from 0. */
  readonly largestShiftRow: number;
}

/** A model that can be run here, with the inputs that training knew. */
export interface AnsweringModel {
  readonly contract: Contract;
  readonly modelPath: string;
  readonly golden: Golden | undefined;
}

const SAME = 1e-5;

/**
 * Runs both models on the golden inputs of either. Undefined where there are none that both take. Answers do not make a change breaking: a
 * better model answers differently.
 * @throws as Engine.load
 */
export async function diffAnswers(a: AnsweringModel, b: AnsweringModel): Promise<AnswersDiff | undefined> {
  const cases = [...casesOf(a.golden), ...casesOf(b.golden)];
  const common = (feeds: Feeds) =>
    [a, b].every(
      ({ contract }) =>
        contract.inputs.length === Object.keys(feeds).length &&
        contract.inputs.every((spec) => {
          const tensor = feeds[spec.name];
          return (
            tensor?.datatype === spec.datatype &&
            tensor.shape.length === spec.shape.length &&
            spec.shape.every((size, axis) => size === -1 || size === tensor.shape[axis])
          );
        }),
    );
  const usable = cases.filter(common);
  if (usable.length === 0) return undefined;
  const [first, second] = [await answersOf(a, usable), await answersOf(b, usable)];
  const classifier = a.contract.task === 'classification' && b.contract.task === 'classification';
  let rows = 0;
  let agreed = 0;
  let flips = 0;
  let largest = { shift: 0, row: 0 };
  for (const [i, before] of first.entries()) {
    const after = second[i] as Tensor;
    const count = before.shape[0] ?? 1;
    const width = before.data.length / Math.max(1, count);
    if (after.data.length !== before.data.length) return undefined;
    for (let row = 0; row < count; row++) {
      const shift = shiftOf(before, after, row, width);
      const flipped = classifier && argmax(before, row, width) !== argmax(after, row, width);
      if (flipped) flips++;
      if (classifier ? !flipped : shift <= SAME) agreed++;
      if (shift > largest.shift) largest = { shift, row: rows };
      rows++;
    }
  }
  return {
    rows,
    labelFlips: classifier ? flips : undefined,
    agreement: agreed / rows,
    largestShift: largest.shift,
    largestShiftRow: largest.row,
  };
}

function casesOf(golden: Golden | undefined): Feeds[] {
  return golden?.cases.map((one) => one.inputs) ?? [];
}

async function answersOf({ contract, modelPath }: AnsweringModel, cases: readonly Feeds[]): Promise<Tensor[]> {
  const engine = await Engine.load({ contract, modelPath, threads: threadsFor(cpuLimit()) });
  try {
    const answers: Tensor[] = [];
    for (const feeds of cases)
      answers.push((await engine.run(feeds, [contract.prediction]))[contract.prediction] as Tensor);
    return answers;
  } finally {
    await engine.close();
  }
}

function shiftOf(a: Tensor, b: Tensor, row: number, width: number): number {
  let largest = 0;
  for (let i = row * width; i < (row + 1) * width; i++) {
    const numbers = isFloat(a.datatype) && isFloat(b.datatype);
    largest = Math.max(
      largest,
      numbers ? Math.abs((a.data[i] as number) - (b.data[i] as number)) : Number(a.data[i] !== b.data[i]),
    );
  }
  return largest;
}

function argmax(tensor: Tensor, row: number, width: number): number {
  let best = 0;
  for (let column = 1; column < width; column++) {
    if ((tensor.data[row * width + column] as number) > (tensor.data[row * width + best] as number)) best = column;
  }
  return best;
}
