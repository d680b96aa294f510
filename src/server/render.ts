import { type Contract, elementCount, jsonValues, type Tensor } from '../contract/index.ts';
import { checkFinite } from '../engine/index.ts';

/** Rows `[from, from + rows)` of an output; `alone`: all of it, whatever its first dimension means. */
export interface Part {
  readonly tensor: Tensor;
  readonly from: number;
  readonly rows: number;
  readonly alone: boolean;
}

/**
 * A prediction as JSON: one row's values for one row, a list of rows for several. Floats print as the shortest decimal
 * that reads back to the same value.
 * @throws OUTPUT_NOT_FINITE
 */
export function predictionJson(name: string, part: Part): string {
  const { tensor } = part;
  const { first, rows, width } = placeOf(part);
  checkFinite(name, tensor, first, first + rows * width);
  const { data } = tensor;
  if (tensor.shape.length > 2 || Array.isArray(data) || tensor.datatype === 'BOOL' || isWide(data))
    return generalJson(tensor, first, rows, width);
  if (rows === 1) return `[${listJson(data as Float32Array, first, width)}]`;
  let json = '[';
  for (let row = 0; row < rows; row++)
    json += `${row === 0 ? '[' : ',['}${listJson(data as Float32Array, first + row * width, width)}]`;
  return `${json}]`;
}

/**
 * The label of the largest probability of each row, the first where several are largest, as JSON.
 * @param quoted the labels as JSON strings @throws OUTPUT_NOT_FINITE
 */
export function labelJson(name: string, part: Part, quoted: readonly string[]): string {
  const { first, rows, width } = placeOf(part);
  const { tensor } = part;
  checkFinite(name, tensor, first, first + rows * width);
  const data = tensor.data as Float32Array;
  const labelAt = (at: number): string => {
    let best = 0;
    for (let column = 1; column < width; column++)
      if ((data[at + column] as number) > (data[at + best] as number)) best = column;
    return quoted[best] ?? `"${best}"`;
  };
  if (rows === 1) return labelAt(first);
  let json = '[';
  for (let row = 0; row < rows; row++) json += `${row === 0 ? '' : ','}${labelAt(first + row * width)}`;
  return `${json}]`;
}

/** Labels in column order, each as a JSON string. */
export function quotedLabels(labels: NonNullable<Contract['labels']>): string[] {
  return labels.names.map((label) => JSON.stringify(label));
}

function placeOf({ tensor, from, rows, alone }: Part): { first: number; rows: number; width: number } {
  const { shape } = tensor;
  const own = shape.length === 0 ? 1 : (shape[0] as number);
  const width = own === 0 ? 0 : elementCount(shape) / own;
  return alone ? { first: 0, rows: own, width } : { first: from * width, rows, width };
}

function listJson(data: Float32Array, at: number, width: number): string {
  let json = '';
  for (let i = 0; i < width; i++) json += i === 0 ? `${data[at]}` : `,${data[at + i]}`;
  return json;
}

function generalJson(tensor: Tensor, first: number, rows: number, width: number): string {
  const own = { ...tensor, data: tensor.data.slice(first, first + rows * width) } as Tensor;
  const values = jsonValues(own);
  const inner = tensor.shape.length > 2 ? tensor.shape.slice(1) : [width];
  let at = 0;
  const nest = (depth: number): unknown =>
    depth === inner.length ? values[at++] : Array.from({ length: inner[depth] as number }, () => nest(depth + 1));
  const list = Array.from({ length: rows }, () => nest(0));
  return JSON.stringify(rows === 1 ? list[0] : list);
}

function isWide(data: Tensor['data']): boolean {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
