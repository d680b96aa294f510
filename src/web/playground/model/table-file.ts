import { dsvFormat } from 'd3-dsv';
import { bodyJson } from './body.ts';
import { readCell } from './cell.ts';
import { columnsOf, controlOf, type Field } from './form-model.ts';
import { integerRange } from './integer-range.ts';
import type { PageModel } from './page-model.ts';

/** Rows from a file, ready to be sent. */
export interface TableBody {
  readonly json: string;
  /** undefined where the file does not say. */
  readonly rows: number | undefined;
  /** Columns of the file that the model does not take. */
  readonly ignored: readonly string[];
}

/** A file that cannot be sent; the message is for people. */
export class FileProblem extends Error {}

interface Column {
  readonly name: string | undefined;
  readonly cell: Pick<Field, 'control' | 'optional' | 'range'>;
}

/**
 * The body of POST /predict that a dropped file makes: CSV (also with tabs or semicolons, with or without a header) for
 * models that take rows, JSON as a body, a list of rows or a list of records.
 * @throws FileProblem
 */
export function tableBodyOf(page: PageModel, text: string): TableBody {
  const content = text.replace(/^\uFEFF/, '').trim();
  if (content === '') throw new FileProblem('The file is empty.');
  return /^[[{]/.test(content) ? jsonBody(page, content) : csvBody(page, content);
}

function jsonBody(page: PageModel, content: string): TableBody {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new FileProblem(`The file is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(value)) {
    const { data, records } = value as Record<string, unknown>;
    const rows = data ?? records;
    return { json: content, rows: Array.isArray(rows) ? rows.length : undefined, ignored: [] };
  }
  const isRecord = typeof value[0] === 'object' && value[0] !== null && !Array.isArray(value[0]);
  if (!isRecord && page.inputs.length > 1)
    throw new FileProblem('A list fits a model with one input. Write {"inputs": {NAME: [...]}}.');
  return { json: JSON.stringify(isRecord ? { records: value } : { data: value }), rows: value.length, ignored: [] };
}

function csvBody(page: PageModel, content: string): TableBody {
  const columns = tableColumns(page);
  const table = dsvFormat(delimiterOf(content)).parseRows(content);
  const header = headerOf(table[0]?.map((name) => name.trim()) ?? [], columns);
  const rows = (header ? table.slice(1) : table).filter((row) => row.length > 1 || row[0] !== '');
  if (rows.length === 0) throw new FileProblem('The file has no rows.');
  const places = placesOf(header, columns);
  const values = rows.map((row, index) => {
    const width = header?.length ?? columns.length;
    const line = index + (header ? 2 : 1);
    if (row.length !== width) throw new FileProblem(`Line ${line} has ${row.length} columns, not ${width}.`);
    return columns.map((column, i) => {
      const cell = readCell(row[places[i] as number] ?? '', column.cell);
      if ('value' in cell) return cell.value;
      throw new FileProblem(`Line ${line}, ${column.name ?? `column ${i + 1}`} ${cell.problem}.`);
    });
  });
  return {
    json: bodyJson(page.inputs, byInput(page, values)),
    rows: rows.length,
    ignored: header?.filter((_, place) => !places.includes(place)) ?? [],
  };
}

/** What parts the first line into the most cells; a comma where nothing does. */
function delimiterOf(content: string): string {
  const [line = ''] = content.split(/\r?\n|\r/, 1);
  const cells = (delimiter: string) => dsvFormat(delimiter).parseRows(line)[0]?.length ?? 0;
  return [',', ';', '\t', '|'].reduce((best, next) => (cells(next) > cells(best) ? next : best));
}

/** The columns of one input of rows, or of several inputs of one column each. @throws FileProblem */
function tableColumns({ inputs, features }: PageModel): readonly Column[] {
  const widths = inputs.map((input) => (input.shape[0] === -1 ? columnsOf(input) : undefined));
  if (widths.includes(undefined) || (inputs.length > 1 && widths.some((width) => width !== 1)))
    throw new FileProblem('This model does not take a table of rows. Drop a JSON file with a body for /predict.');
  return inputs.flatMap((input, index) => {
    const control = controlOf(input);
    const range = control === 'integer' ? { range: integerRange(input.datatype) } : {};
    return Array.from({ length: widths[index] as number }, (_, column) => ({
      name: features?.[column] ?? (widths[index] === 1 ? input.name : undefined),
      cell: { control, optional: input.missing === 'nan', ...range },
    }));
  });
}

/** The first line where it names columns: all that the model names, or text where numbers belong. */
function headerOf(first: readonly string[], columns: readonly Column[]): readonly string[] | undefined {
  const named = columns.every(({ name }) => name !== undefined && first.includes(name));
  const words = columns.some(({ cell }) => cell.control !== 'text') && first.every((text) => !isValue(text, columns));
  return named || words ? first : undefined;
}

function isValue(text: string, columns: readonly Column[]): boolean {
  return columns.some(({ cell }) => cell.control !== 'text' && 'value' in readCell(text, cell));
}

/** Where in the file each of the model's columns stands. @throws FileProblem */
function placesOf(header: readonly string[] | undefined, columns: readonly Column[]): readonly number[] {
  const inOrder = columns.map((_, column) => column);
  if (!header) return inOrder;
  const found = columns.map(({ name }) => (name === undefined ? -1 : header.indexOf(name)));
  if (!found.includes(-1)) return found;
  // Names that are all unknown are another spelling of the same columns, if there are as many.
  if (found.every((place) => place < 0) && header.length === columns.length) return inOrder;
  const lacking = columns.filter((column, i) => column.name !== undefined && found[i] === -1).map(({ name }) => name);
  throw new FileProblem(
    lacking.length > 0
      ? `The header has no ${lacking.join(', ')}.`
      : `The file has ${header.length} columns; the model takes ${columns.length}.`,
  );
}

function byInput({ inputs }: PageModel, rows: readonly (readonly unknown[])[]): Record<string, unknown> {
  const flat = (shape: readonly number[], row: readonly unknown[]) => (shape.length === 1 ? row[0] : row);
  return Object.fromEntries(
    inputs.map((input, index) => [
      input.name,
      rows.map((row) => flat(input.shape, inputs.length > 1 ? [row[index]] : row)),
    ]),
  );
}
