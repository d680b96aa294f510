import { parseTensor, type Tensor, type TensorSpec } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';
import { checkShape } from './shape.ts';

/**
 * A tensor from JSON's `data`, row-major: flat, or nested as the shape is.
 * @throws INPUT_INVALID
 */
export function tensorOfJson(spec: TensorSpec, datatype: string, shape: readonly number[], data: unknown): Tensor {
  const count = checkShape(spec, datatype, shape);
  if (!Array.isArray(data)) throw new InlayError('INPUT_INVALID', `input ${spec.name}: data is not a list`);
  if (Array.isArray(data[0])) return parseTensor({ ...spec, shape }, data);
  if (data.length !== count)
    throw new InlayError(
      'INPUT_INVALID',
      `input ${spec.name}: the shape [${shape.join(', ')}] has ${count} values; data has ${data.length}`,
    );
  return { ...parseTensor({ ...spec, shape: [count] }, data), shape };
}

/** A tensor's values in order, as JSON has them: whole numbers of 64 bits with all their digits. */
export function jsonOfTensor({ datatype, data }: Tensor): readonly unknown[] {
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => value !== 0);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from<bigint, unknown>(data, wide);
  return Array.from<number | string>(data as Iterable<number | string>);
}

/** Beyond 2^53 a double would be another number: its digits are written as they are (ECMAScript's JSON.rawJSON). */
function wide(value: bigint): unknown {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return (JSON as typeof JSON & { rawJSON(text: string): unknown }).rawJSON(String(value));
}
