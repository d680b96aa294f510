import type { Tensor as OrtTensor, TypedTensor } from 'onnxruntime-node';
import { type Datatype, elementCount, type Tensor, type TensorData } from '../contract/index.ts';

type OrtType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string';

/** ONNX Runtime's names of our datatypes. */
const ORT_TYPES: Readonly<Record<Datatype, OrtType>> = {
  FP32: 'float32',
  FP64: 'float64',
  FP16: 'float16',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  UINT32: 'uint32',
  INT64: 'int64',
  UINT64: 'uint64',
  BOOL: 'bool',
  BYTES: 'string',
};
const DATATYPE_OF = Object.fromEntries(Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype])) as Record<
  OrtType,
  Datatype
>;

type TensorConstructor = new (type: OrtType, data: TensorData, dims: readonly number[]) => TypedTensor<OrtType>;

export function toOrt(TensorClass: unknown, tensor: Tensor): OrtTensor {
  // Bun's Node-API does not know Float16Array, and the class makes one of whatever it gets: the binding takes the bits.
  if (tensor.data instanceof Float16Array) {
    const { buffer, byteOffset, length } = tensor.data;
    const bits = new Uint16Array(buffer, byteOffset, length);
    return { type: 'float16', dims: tensor.shape, data: bits, cpuData: bits, location: 'cpu' } as never;
  }
  return new (TensorClass as TensorConstructor)(ORT_TYPES[tensor.datatype], tensor.data, tensor.shape);
}

export function fromOrt(tensor: OrtTensor): Tensor {
  const datatype = DATATYPE_OF[tensor.type as OrtType];
  const data = tensor.data as TensorData;
  // Some versions of the binding hand float16 out as its bits.
  const values =
    datatype === 'FP16' && data instanceof Uint16Array
      ? new Float16Array(data.buffer, data.byteOffset, data.length)
      : data;
  return { datatype, shape: tensor.dims, data: values };
}

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
