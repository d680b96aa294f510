import type { TensorSpec } from '../../../contract/index.ts';
import { integerRange, isInteger } from './integer-range.ts';
import type { PageModel } from './page-model.ts';

/** Beyond so many columns fields are harder to use than a JSON text. */
const MOST_FIELDS = 64;

export type Control = 'number' | 'integer' | 'bool' | 'text' | 'json';

/** One control of the form. */
export interface Field {
  readonly id: string;
  readonly label: string;
  readonly control: Control;
  /** The sample's value as text; `true` or `false` for a bool. */
  readonly value: string;
  /** Empty is a missing value (null). */
  readonly optional: boolean;
  /** Bounds of what the datatype holds. */
  readonly range?: readonly [number, number];
}

/** An input's fields: one a column, or one JSON text where rows of columns do not describe it. */
export interface Group {
  readonly input: TensorSpec;
  readonly fields: readonly Field[];
}

/** The form that a model's inputs and sample make. */
export function formModelOf(page: PageModel): readonly Group[] {
  return page.inputs.map((input, index) => {
    const sample = page.sample?.[input.name];
    const columns = columnsOf(input);
    if (columns === undefined || columns > MOST_FIELDS) return { input, fields: [jsonField(input, index, sample)] };
    const values = firstRow(sample);
    const control = controlOf(input);
    const fields = Array.from({ length: columns }, (_, column) => ({
      id: `f${index}-${column}`,
      label: labelOf(page, input, column, columns),
      control,
      value: textOf(values[column], control),
      optional: input.missing === 'nan',
      ...(control === 'integer' ? { range: integerRange(input.datatype) } : {}),
    }));
    return { input, fields };
  });
}

/** How many values a row of an input has, where it is one row of fixed width: `[-1, 4]`, `[1, 4]`, `[4]`, `[-1]`, `[]`. */
export function columnsOf({ shape }: Pick<TensorSpec, 'shape'>): number | undefined {
  const [first, second] = shape;
  if (shape.length > 2 || first === 0 || second === 0) return undefined;
  if (second === undefined) return first === undefined || first < 0 ? 1 : first;
  return first !== undefined && first <= 1 && second > 0 ? second : undefined;
}

export function controlOf({ datatype }: Pick<TensorSpec, 'datatype'>): Exclude<Control, 'json'> {
  if (datatype === 'BYTES') return 'text';
  if (datatype === 'BOOL') return 'bool';
  return isInteger(datatype) ? 'integer' : 'number';
}

function labelOf(page: PageModel, input: TensorSpec, column: number, columns: number): string {
  return page.features?.[column] ?? (columns === 1 ? input.name : `column ${column + 1}`);
}

function jsonField(input: TensorSpec, index: number, sample: unknown): Field {
  return {
    id: `f${index}-json`,
    label: `${input.name} as JSON`,
    control: 'json',
    value: sample === undefined ? '' : rowsOnLines(sample),
    optional: sample === undefined,
  };
}

/** The first row's values, whatever the rank. */
function firstRow(sample: unknown): readonly unknown[] {
  if (!Array.isArray(sample)) return [sample];
  return Array.isArray(sample[0]) ? firstRow(sample[0]) : sample;
}

function textOf(value: unknown, control: Control): string {
  if (control === 'bool') return String(value === true);
  return value === undefined || value === null ? '' : String(value);
}

/** Nested lists with a line for each innermost one. */
function rowsOnLines(value: unknown, indent = ''): string {
  if (!Array.isArray(value) || !Array.isArray(value[0])) return indent + JSON.stringify(value);
  return `${indent}[\n${value.map((inner) => rowsOnLines(inner, `${indent} `)).join(',\n')}\n${indent}]`;
}
