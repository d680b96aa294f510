import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { allocate, type Datatype, type Tensor, type TensorSpec } from '../../../contract/index.ts';
import { InlayError } from '../../../error/index.ts';
import { text } from '../binary-tensor.ts';
import { checkShape } from '../shape.ts';
import { type InferTensorContents, InferTensorContentsSchema } from './gen/inference_pb.ts';

type Field = Exclude<keyof InferTensorContents, '$typeName' | '$unknown'>;

/** Where the values of a datatype stand (inference_grpc.md, InferTensorContents). FP16 has no place: it is raw only. */
const FIELDS: Readonly<Partial<Record<Datatype, Field>>> = {
  BOOL: 'boolContents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
};

/** Whether a datatype's values can stand in InferTensorContents. */
export function hasContents(datatype: Datatype): boolean {
  return FIELDS[datatype] !== undefined;
}

/**
 * A tensor from typed contents. Values that a narrower datatype cannot hold are refused.
 * @throws INPUT_INVALID
 */
export function tensorOfContents(
  spec: TensorSpec,
  datatype: string,
  shape: readonly number[],
  contents: InferTensorContents,
): Tensor {
  const count = checkShape(spec, datatype, shape);
  const field = FIELDS[spec.datatype];
  if (!field) throw refuse(spec, `${spec.datatype} has no typed contents: send raw_input_contents`);
  const values: readonly unknown[] = contents[field];
  if (values.length !== count)
    throw refuse(spec, `the shape [${shape.join(', ')}] has ${count} values; its typed contents have ${values.length}`);
  if (spec.datatype === 'BYTES')
    return { datatype: 'BYTES', shape, data: (values as Uint8Array[]).map((bytes, index) => text(spec, bytes, index)) };
  const data = allocate(spec.datatype, count) as Int32Array;
  for (let i = 0; i < count; i++) data[i] = values[i] as number;
  // Eight and sixteen bits travel in 32: what came back otherwise did not fit.
  if (/^U?INT(8|16)$/.test(spec.datatype)) {
    const at = data.findIndex((value, i) => value !== values[i]);
    if (at >= 0) throw refuse(spec, `value ${at} is ${values[at]}, which ${spec.datatype} cannot hold`);
  }
  return { datatype: spec.datatype, shape, data };
}

/** A tensor's values as typed contents. */
export function contentsOf({ datatype, data }: Tensor): InferTensorContents {
  const values =
    datatype === 'BYTES'
      ? (data as string[]).map((one) => Buffer.from(one))
      : datatype === 'BOOL'
        ? Array.from(data as Uint8Array, (value) => value !== 0)
        : Array.from(data as Iterable<number>);
  const init = { [FIELDS[datatype] as Field]: values } as MessageInitShape<typeof InferTensorContentsSchema>;
  return create(InferTensorContentsSchema, init);
}

function refuse(spec: TensorSpec, what: string): InlayError {
  return new InlayError('INPUT_INVALID', `input ${spec.name}: ${what}`);
}
