/**
 * Tensor datatypes by their Open Inference Protocol names, with their size in bytes, what numpy calls them,
 * and their number in ONNX (TensorProto.DataType).
 */
export const DATATYPES = {
  FP32: { bytes: 4, numpy: 'float32', onnx: 1 },
  UINT8: { bytes: 1, numpy: 'uint8', onnx: 2 },
  INT8: { bytes: 1, numpy: 'int8', onnx: 3 },
  UINT16: { bytes: 2, numpy: 'uint16', onnx: 4 },
  INT16: { bytes: 2, numpy: 'int16', onnx: 5 },
  INT32: { bytes: 4, numpy: 'int32', onnx: 6 },
  INT64: { bytes: 8, numpy: 'int64', onnx: 7 },
  BYTES: { bytes: 0, numpy: 'str', onnx: 8 },
  BOOL: { bytes: 1, numpy: 'bool', onnx: 9 },
  FP16: { bytes: 2, numpy: 'float16', onnx: 10 },
  FP64: { bytes: 8, numpy: 'float64', onnx: 11 },
  UINT32: { bytes: 4, numpy: 'uint32', onnx: 12 },
  UINT64: { bytes: 8, numpy: 'uint64', onnx: 13 },
} as const;

export type Datatype = keyof typeof DATATYPES;
export const DATATYPE_NAMES = Object.keys(DATATYPES) as [Datatype, ...Datatype[]];

const FLOATS: readonly Datatype[] = ['FP16', 'FP32', 'FP64'];

export function isFloat(datatype: Datatype): boolean {
  return FLOATS.includes(datatype);
}

/** The datatype of an ONNX element type, or undefined for those that cannot be served (bfloat16, complex, 4-bit, ...). */
export function datatypeOfOnnx(elemType: number): Datatype | undefined {
  return DATATYPE_NAMES.find((name) => DATATYPES[name].onnx === elemType);
}

/** A tensor's name, datatype and shape, -1 for a dimension that is free. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** `nan`: the model was trained to take NaN as a missing value, and JSON's null is NaN. Only floats have it. */
  readonly missing?: 'nan' | undefined;
}

/** For people: `FP32 [-1, 4]`, `FP32 [-1, 4] or null`. */
export function describeSpec(spec: Pick<TensorSpec, 'datatype' | 'shape' | 'missing'>): string {
  return `${spec.datatype === 'BYTES' ? 'STRING' : spec.datatype} [${spec.shape.join(', ')}]${spec.missing ? ' or null' : ''}`;
}
