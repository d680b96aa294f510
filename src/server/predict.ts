import { type Contract, jsonValues, parseTensor, type Tensor, type TensorSpec } from '../contract/index.ts';
import type { Engine, Feeds } from '../engine/index.ts';
import { didYouMean } from '../error/index.ts';
import { HttpError } from './answer.ts';

/**
 * The model's inputs of a `/predict` body: `{"data": [[...]]}` for the rows, `{}` for the contract's sample.
 * @throws HttpError 400, INPUT_INVALID
 */
export function feedsOf(body: unknown, engine: Engine): Feeds {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    throw new HttpError(400, 'BODY_INVALID', `the body is ${kind(body)}, not an object`, {
      hint: 'Send {"data": [[...]]}.',
    });
  }
  if ('data' in body) {
    const [spec, second] = engine.inputs;
    if (!spec || second) {
      throw new HttpError(
        400,
        'BODY_INVALID',
        `"data" fits a model with one input; this one has ${engine.inputs.map((i) => i.name).join(', ')}`,
      );
    }
    return { [spec.name]: parseTensor(spec as TensorSpec, body.data) };
  }
  const [key] = Object.keys(body);
  if (key === undefined) return engine.sample();
  // A misspelt key must not be answered with the sample's prediction.
  const hint = didYouMean(key, ['data']) ? 'Did you mean "data"?' : 'Send {"data": [[...]]}, or {} for the sample.';
  throw new HttpError(400, 'BODY_INVALID', `the body has no "data", only ${JSON.stringify(key.slice(0, 60))}`, {
    hint,
  });
}

/** `/predict`'s answer: one row's values for one row, a list of rows for several. */
export function predictionOf(tensor: Tensor): unknown {
  const { rows, width, values } = rowsOf(tensor);
  if (rows === 1) return tensor.shape.length > 2 ? nestedRow(tensor, values, 0, width) : values;
  return Array.from({ length: rows }, (_, row) =>
    tensor.shape.length > 2 ? nestedRow(tensor, values, row, width) : values.slice(row * width, (row + 1) * width),
  );
}

/** `/predict/label`'s answer: the label of the largest probability of each row, the first where several are largest. */
export function labelOf(tensor: Tensor, labels: NonNullable<Contract['labels']>): string | string[] {
  const { rows, width, values } = rowsOf(tensor);
  const names = Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let column = 1; column < width; column++) {
      if ((values[row * width + column] as number) > (values[row * width + best] as number)) best = column;
    }
    return labels.names[best] ?? String(best);
  });
  return rows === 1 ? (names[0] as string) : names;
}

function rowsOf(tensor: Tensor) {
  const values = jsonValues(tensor);
  const rows = tensor.shape.length === 0 ? 1 : (tensor.shape[0] as number);
  return { values, rows, width: rows === 0 ? 0 : values.length / rows };
}

/** One row of a tensor of rank 3 and more, nested as its shape. */
function nestedRow(tensor: Tensor, values: readonly unknown[], row: number, width: number): unknown {
  let at = row * width;
  const nest = (depth: number): unknown =>
    depth === tensor.shape.length
      ? values[at++]
      : Array.from({ length: tensor.shape[depth] as number }, () => nest(depth + 1));
  return nest(1);
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
