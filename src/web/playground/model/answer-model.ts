import { percent, short } from './digits.ts';
import type { PageModel } from './page-model.ts';

/** Up to so many classes all are shown, in column order; beyond them the largest. */
const MOST_BARS = 24;
const LARGEST = 10;
const MOST_VALUES = 64;
const MOST_ROWS = 200;
const VALUES_IN_A_ROW = 6;

/** A value for people, and exactly. */
export interface Shown {
  readonly text: string;
  readonly exact: string;
}

export interface Bar extends Shown {
  readonly label: string;
  /** 0 to 1. */
  readonly length: number;
  readonly best: boolean;
}

/** What a row's answer says. */
export type RowAnswer =
  | { readonly kind: 'classes'; readonly best: Bar; readonly bars: readonly Bar[]; readonly hidden: number }
  | { readonly kind: 'number'; readonly value: Shown }
  | { readonly kind: 'values'; readonly shape: string; readonly values: readonly Shown[]; readonly hidden: number };

/** What an answer of POST /predict says. */
export type Answer =
  | RowAnswer
  | { readonly kind: 'json'; readonly text: string }
  | {
      readonly kind: 'rows';
      readonly rows: readonly (readonly Shown[])[];
      readonly head: readonly string[];
      readonly hidden: number;
    };

/** How to show the body of an answer: a transform may make one of its own. */
export function answerOfBody(page: PageModel, body: unknown): Answer {
  const { prediction } = (body ?? {}) as { readonly prediction?: unknown };
  const plain = Array.isArray(prediction) || ['number', 'string', 'boolean'].includes(typeof prediction);
  return plain && !hasObjects(prediction)
    ? answerOf(page, prediction)
    : { kind: 'json', text: JSON.stringify(body, null, 2) };
}

function hasObjects(value: unknown): boolean {
  return Array.isArray(value) ? value.some(hasObjects) : typeof value === 'object' && value !== null;
}

/** How to show the value of `prediction`: one row's values, or a list of rows where it is nested one deeper. */
export function answerOf(page: PageModel, prediction: unknown): Answer {
  const output = page.outputs.find((spec) => spec.name === page.prediction);
  const rowRank = Math.max(1, (output?.shape.length ?? 2) - 1);
  if (!Array.isArray(prediction) || rankOf(prediction) <= rowRank) return rowAnswer(page, prediction);
  const rows = prediction.slice(0, MOST_ROWS).map((row) => rowAnswer(page, row));
  return {
    kind: 'rows',
    head: headOf(rows[0]),
    rows: rows.map(cellsOf),
    hidden: prediction.length - rows.length,
  };
}

/** One line that says what was predicted, for the headline and for screen readers. */
export function summaryOf(answer: Answer): string {
  switch (answer.kind) {
    case 'classes':
      return `${answer.best.label}, ${answer.best.text}`;
    case 'number':
      return answer.value.text;
    case 'values':
      return `${answer.values.length + answer.hidden} values`;
    case 'rows':
      return `${answer.rows.length + answer.hidden} rows`;
    case 'json':
      return 'Answered';
  }
}

function rowAnswer(page: PageModel, row: unknown): RowAnswer {
  const values = (Array.isArray(row) ? row.flat(Number.POSITIVE_INFINITY) : [row]) as readonly unknown[];
  const numbers = values.filter((value) => typeof value === 'number');
  if (page.task === 'classification' && numbers.length === values.length && values.length > 1)
    return classesOf(numbers, page.labels);
  if (values.length === 1) return { kind: 'number', value: shownOf(values[0]) };
  return {
    kind: 'values',
    shape: shapeOf(row).join(' × '),
    values: values.slice(0, MOST_VALUES).map(shownOf),
    hidden: Math.max(0, values.length - MOST_VALUES),
  };
}

function classesOf(scores: readonly number[], labels: readonly string[] | undefined): RowAnswer {
  const most = scores.reduce((a, b) => Math.max(a, b));
  const least = scores.reduce((a, b) => Math.min(a, b));
  const sum = scores.reduce((a, b) => a + b, 0);
  // Scores that are no probabilities, such as logits, have no percentage.
  const probabilities = least >= 0 && most <= 1 && Math.abs(sum - 1) < 1e-3;
  const winner = scores.indexOf(most);
  const all = scores.map((score, column) => ({
    label: labels?.[column] ?? `class ${column}`,
    length: probabilities ? score : most === least ? 1 : (score - least) / (most - least),
    best: column === winner,
    text: probabilities ? percent(score) : short(score),
    exact: String(score),
  }));
  const many = all.length > MOST_BARS;
  const bars = many ? all.toSorted((a, b) => b.length - a.length).slice(0, LARGEST) : all;
  return { kind: 'classes', best: all[winner] as Bar, bars, hidden: all.length - bars.length };
}

function headOf(row: RowAnswer | undefined): readonly string[] {
  if (row?.kind === 'classes') return ['label', 'probability'];
  return [row?.kind === 'number' ? 'value' : 'values'];
}

function cellsOf(row: RowAnswer): readonly Shown[] {
  if (row.kind === 'classes') return [{ text: row.best.label, exact: row.best.label }, row.best];
  if (row.kind === 'number') return [row.value];
  const values = row.values.slice(0, VALUES_IN_A_ROW);
  const more = row.values.length + row.hidden > values.length ? ' …' : '';
  return [{ text: values.map((v) => v.text).join(', ') + more, exact: values.map((v) => v.exact).join(', ') + more }];
}

function shownOf(value: unknown): Shown {
  return { text: typeof value === 'number' ? short(value) : String(value), exact: String(value) };
}

function rankOf(value: unknown): number {
  return shapeOf(value).length;
}

function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}
