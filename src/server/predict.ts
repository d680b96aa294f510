import { elementCount, parseTensor, type Tensor, type TensorSpec } from '../contract/index.ts';
import type { Feeds } from '../engine/index.ts';
import { didYouMean, InlayError } from '../error/index.ts';
import { HttpError } from './answer.ts';

/** What a prediction's body may hold. */
export interface BodySpec {
  readonly inputs: readonly TensorSpec[];
  /** Names of the columns of the one input, where the contract has them. */
  readonly features: readonly string[] | undefined;
  readonly sample: () => Feeds;
}

const KEYS = ['data', 'inputs', 'records'];

/**
 * The model's inputs of a `/predict` body: `{"data": [[…]]}` for a model with one input, `{"inputs": {NAME: …}}` for any,
 * `{"records": [{FEATURE: …}]}` where columns have names, `{}` for the contract's sample.
 * @throws HttpError 400, INPUT_INVALID
 */
export function feedsOf(body: unknown, spec: BodySpec): Feeds {
  if (!isObject(body)) throw invalid(`the body is ${kind(body)}, not an object`, 'Send {"data": [[...]]}.');
  const given = Object.keys(body).filter((key) => KEYS.includes(key));
  if (given.length > 1)
    throw invalid(
      `the body has ${given.map((key) => `"${key}"`).join(' and ')}: which of them counts?`,
      'Send one of them.',
    );
  if ('data' in body)
    return sameRows(spec.inputs, { [theOne(spec, 'data').name]: parseTensor(theOne(spec, 'data'), body.data) });
  if ('inputs' in body) return sameRows(spec.inputs, namedFeeds(body.inputs, spec));
  if ('records' in body) return recordFeeds(body.records, spec);
  const [key] = Object.keys(body);
  if (key === undefined) return spec.sample();
  // A misspelt key must not be answered with the sample's prediction.
  const near = didYouMean(key, KEYS);
  throw invalid(
    `the body has no "data", only ${JSON.stringify(key.slice(0, 60))}`,
    near ? `Did you mean "${near}"?` : 'Send {"data": [[...]]}, or {} for the sample.',
  );
}

/** Rows of a request: what its inputs' free first dimension is; 1 where they have none. */
export function rowsOf(feeds: Feeds, inputs: readonly TensorSpec[]): number {
  const [first] = inputs;
  return first && first.shape[0] === -1 ? (feeds[first.name]?.shape[0] ?? 1) : 1;
}

function namedFeeds(given: unknown, { inputs }: BodySpec): Feeds {
  if (!isObject(given)) throw invalid(`"inputs" is ${kind(given)}, not an object`, `Send ${example(inputs)}.`);
  const names = inputs.map((spec) => spec.name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown, names);
    throw invalid(
      `the model has no input ${JSON.stringify(unknown.slice(0, 60))}`,
      near ? `Did you mean "${near}"?` : `Send ${example(inputs)}.`,
    );
  }
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw invalid(`"inputs" has no ${JSON.stringify(missing)}`, `Send ${example(inputs)}.`);
  return Object.fromEntries(inputs.map((spec) => [spec.name, parseTensor(spec, given[spec.name])]));
}

function recordFeeds(given: unknown, spec: BodySpec): Feeds {
  const columns = columnsOf(spec);
  if (!columns) {
    throw invalid(
      '"records" needs names of columns, which this model does not have',
      'Send {"data": [[...]]}, or name them in inlay.yaml: features: [...].',
    );
  }
  if (!Array.isArray(given) || given.length === 0)
    throw invalid(
      `"records" is ${Array.isArray(given) ? 'empty' : kind(given)}, not a list of objects`,
      recordsExample(columns),
    );
  for (const [row, record] of given.entries()) checkRecord(record, row, columns);
  const records = given as readonly Readonly<Record<string, unknown>>[];
  const [only] = spec.inputs;
  if (spec.features && only)
    return {
      [only.name]: parseTensor(
        only,
        records.map((record) => columns.map((name) => record[name])),
      ),
    };
  return Object.fromEntries(
    spec.inputs.map((input) => [
      input.name,
      parseTensor(
        input,
        records.map((record) => (input.shape.length === 2 ? [record[input.name]] : record[input.name])),
      ),
    ]),
  );
}

/** The features of one input, or several inputs of one column each, as a data frame is exported. */
function columnsOf({ inputs, features }: BodySpec): readonly string[] | undefined {
  if (features) return features;
  const column = ({ shape }: TensorSpec) => shape[0] === -1 && elementCount(shape.slice(1)) === 1 && shape.length <= 2;
  return inputs.length > 1 && inputs.every(column) ? inputs.map((spec) => spec.name) : undefined;
}

function checkRecord(record: unknown, row: number, columns: readonly string[]): void {
  if (!isObject(record)) throw invalid(`records[${row}] is ${kind(record)}, not an object`, recordsExample(columns));
  const missing = columns.find((name) => !Object.hasOwn(record, name));
  const unknown = Object.keys(record).find((name) => !columns.includes(name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown, columns);
    throw invalid(
      `records[${row}] has ${JSON.stringify(unknown.slice(0, 60))}, which the model does not know`,
      near ? `Did you mean "${near}"?` : recordsExample(columns),
    );
  }
  if (missing !== undefined)
    throw invalid(`records[${row}] has no ${JSON.stringify(missing)}`, recordsExample(columns));
}

/** @throws INPUT_INVALID when inputs with free rows do not agree on how many there are */
export function sameRows(inputs: readonly TensorSpec[], feeds: Feeds): Feeds {
  const counts = inputs
    .filter((spec) => spec.shape[0] === -1)
    .map((spec) => ({ name: spec.name, rows: (feeds[spec.name] as Tensor).shape[0] as number }));
  const [first] = counts;
  const other = counts.find(({ rows }) => rows !== first?.rows);
  if (first && other)
    throw new InlayError(
      'INPUT_INVALID',
      `inputs have different numbers of rows: ${first.name} ${first.rows}, ${other.name} ${other.rows}`,
    );
  return feeds;
}

function theOne({ inputs }: BodySpec, key: string): TensorSpec {
  const [spec, second] = inputs;
  if (spec && !second) return spec;
  throw invalid(
    `"${key}" fits a model with one input; this one has ${inputs.map((input) => input.name).join(', ')}`,
    `Send ${example(inputs)}.`,
  );
}

function example(inputs: readonly TensorSpec[]): string {
  return `{"inputs": {${inputs.map((spec) => `${JSON.stringify(spec.name)}: [...]`).join(', ')}}}`;
}

function recordsExample(columns: readonly string[]): string {
  return `Send {"records": [{${columns.map((name) => `${JSON.stringify(name)}: ...`).join(', ')}}]}.`;
}

function invalid(message: string, hint: string): HttpError {
  return new HttpError(400, 'BODY_INVALID', message, { hint });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
