import { type Golden, isFloat, type Project, readProject, type Tensor } from '../contract/index.ts';
import { cpuLimit, Engine, type Feeds, threadsFor } from '../engine/index.ts';
import { type Change, type DiffVerdict, diffContracts, verdictOf } from './contract-diff.ts';

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

export interface ProjectDiff {
  readonly verdict: DiffVerdict;
  readonly changes: readonly Change[];
  /** Undefined where neither has golden cases that both models take. */
  readonly answers: AnswersDiff | undefined;
}

const SAME = 1e-5;

/**
 * What changes when the project in `to` replaces the one in `from`: contracts by rule, and both models run on the golden
 * inputs of either. Answers do not make a change breaking: a better model answers differently.
 * @throws as readProject and Engine.load
 */
export async function diffProjects(from: string, to: string): Promise<ProjectDiff> {
  const a = await readProject(from);
  const b = await readProject(to);
  const changes = diffContracts(a.contract, b.contract);
  return { verdict: verdictOf(changes), changes, answers: await diffAnswers(a, b) };
}

async function diffAnswers(a: Project, b: Project): Promise<AnswersDiff | undefined> {
  const cases = [...casesOf(a.golden?.cases), ...casesOf(b.golden?.cases)];
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

async function answersOf({ contract, modelPath }: Project, cases: readonly Feeds[]): Promise<Tensor[]> {
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
