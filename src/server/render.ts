import { elementCount, jsonValues, type Tensor } from '../contract/index.ts';
import { checkFinite } from '../engine/index.ts';

/** Rows `[from, from + rows)` of an output; `alone`: all of it, whatever its first dimension means. */
export interface Part {
  readonly tensor: Tensor;
  readonly from: number;
  readonly rows: number;
  readonly alone: boolean;
}

/**
 * A prediction as JSON has it: one row's values for one row, a list of rows for several.
 * @throws OUTPUT_NOT_FINITE
 */
export function predictionOf(name: string, part: Part): unknown {
  const { tensor } = part;
  const { first, rows, width } = placeOf(part);
  checkFinite(name, tensor, first, first + rows * width);
  const { data } = tensor;
  if (tensor.shape.length > 2 || Array.isArray(data) || tensor.datatype === 'BOOL' || isWide(data))
    return generalValue(tensor, first, rows, width);
  if (rows === 1) return listOf(data as Float32Array, first, width);
  const list: number[][] = [];
  for (let row = 0; row < rows; row++) list.push(listOf(data as Float32Array, first + row * width, width));
  return list;
}

/**
 * The label of the largest probability of each row, the first where several are largest.
 * @param labels in column order @throws OUTPUT_NOT_FINITE
 */
export function labelOf(name: string, part: Part, labels: readonly string[]): string | string[] {
  const { first, rows, width } = placeOf(part);
  checkFinite(name, part.tensor, first, first + rows * width);
  const found: string[] = [];
  eachBest(part, (column) => found.push(labels[column] ?? String(column)));
  return rows === 1 ? (found[0] as string) : found;
}

/** The column of the largest value of each row, the first where several are largest. */
export function eachBest(part: Part, take: (column: number) => void): void {
  const { first, rows, width } = placeOf(part);
  const data = part.tensor.data as Float32Array;
  for (let row = 0; row < rows; row++) {
    const at = first + row * width;
    let best = 0;
    for (let column = 1; column < width; column++)
      if ((data[at + column] as number) > (data[at + best] as number)) best = column;
    take(best);
  }
}

/** So many values make a line of the prediction log that is still short. */
const FEW = 10_000;

export function hasFewValues(part: Part): boolean {
  const { rows, width } = placeOf(part);
  return rows * width <= FEW;
}

function placeOf({ tensor, from, rows, alone }: Part): { first: number; rows: number; width: number } {
  const { shape } = tensor;
  const own = shape.length === 0 ? 1 : (shape[0] as number);
  const width = own === 0 ? 0 : elementCount(shape) / own;
  return alone ? { first: 0, rows: own, width } : { first: from * width, rows, width };
}

function listOf(data: Float32Array, at: number, width: number): number[] {
  const list: number[] = [];
  for (let i = at; i < at + width; i++) list.push(data[i] as number);
  return list;
}

function generalValue(tensor: Tensor, first: number, rows: number, width: number): unknown {
  const values = jsonValues({ ...tensor, data: tensor.data.slice(first, first + rows * width) } as Tensor);
  const inner = tensor.shape.length > 2 ? tensor.shape.slice(1) : [width];
  let at = 0;
  const nest = (depth: number): unknown =>
    depth === inner.length ? values[at++] : Array.from({ length: inner[depth] as number }, () => nest(depth + 1));
  const list = Array.from({ length: rows }, () => nest(0));
  return rows === 1 ? list[0] : list;
}

function isWide(data: Tensor['data']): boolean {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
