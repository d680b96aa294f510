import { elementCount, type Tensor, type TensorData } from '../contract/index.ts';

/** Rows `[from, to)` of the first dimension; the values are not copied. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const rest = tensor.shape.slice(1);
  const width = elementCount(rest);
  const data = Array.isArray(tensor.data)
    ? tensor.data.slice(from * width, to * width)
    : tensor.data.subarray(from * width, to * width);
  return { datatype: tensor.datatype, shape: [to - from, ...rest], data: data as TensorData };
}

/** Tensors of equal shape below the first dimension, one after the other. */
export function concatRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new RangeError('nothing to join');
  if (tensors.length === 1) return first;
  const shape = [tensors.reduce((rows, tensor) => rows + (tensor.shape[0] ?? 0), 0), ...first.shape.slice(1)];
  if (Array.isArray(first.data))
    return { datatype: first.datatype, shape, data: tensors.flatMap((t) => t.data as string[]) };
  const typed = first.data;
  const joined = new (typed.constructor as new (length: number) => Float32Array)(elementCount(shape));
  let at = 0;
  for (const tensor of tensors) {
    joined.set(tensor.data as Float32Array, at);
    at += tensor.data.length;
  }
  return { datatype: first.datatype, shape, data: joined };
}

/** Whether the rows of two groups of tensors can stand together: where all but the first dimension agree. */
export function fitTogether(a: Readonly<Record<string, Tensor>>, b: Readonly<Record<string, Tensor>>): boolean {
  for (const name in a) {
    const [mine, other] = [a[name] as Tensor, b[name] as Tensor];
    for (let axis = 1; axis < mine.shape.length; axis++) if (mine.shape[axis] !== other.shape[axis]) return false;
  }
  return true;
}
