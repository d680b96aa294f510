import type { Tensor, TensorData } from '../../contract/index.ts';
import { allocate, type Datatype, describeSpec, elementCount, isFloat, type TensorSpec } from '../../contract/index.ts';
import type { Feeds } from '../../engine/index.ts';
import { InlayError } from '../../error/index.ts';
import { sameRows } from '../predict.ts';

/**
 * What a transform gave, held against what the model takes: every input, in the array of its datatype, of its shape.
 * @throws TRANSFORM_FAILED
 */
export function givenTensors(given: unknown, inputs: readonly TensorSpec[]): Feeds {
  if (!isObject(given)) throw wrong('it gives no tensors by name');
  const unknown = Object.keys(given).find((name) => !inputs.some((spec) => spec.name === name));
  if (unknown !== undefined) throw wrong(`the model has no input ${unknown}`);
  const feeds = Object.fromEntries(inputs.map((spec) => [spec.name, givenTensor(spec, given[spec.name])]));
  try {
    return sameRows(inputs, feeds);
  } catch (cause) {
    throw wrong((cause as Error).message);
  }
}

function givenTensor(spec: TensorSpec, given: unknown): Tensor {
  const takes = `input ${spec.name} takes ${describeSpec(spec)}`;
  if (!isObject(given)) throw wrong(`${takes}, and nothing is given`);
  const { data, shape } = given;
  if (!isShape(shape)) throw wrong(`${takes}: shape is no list of whole numbers`);
  if (shape.length !== spec.shape.length || spec.shape.some((size, axis) => size >= 0 && size !== shape[axis]))
    throw wrong(`${takes}: its shape is [${shape.join(', ')}]`);
  if (!isDataOf(spec.datatype, data)) throw wrong(`${takes}: data is no ${arrayOf(spec.datatype)}`);
  if (data.length !== elementCount(shape))
    throw wrong(`${takes}: [${shape.join(', ')}] is ${elementCount(shape)} values, and there are ${data.length}`);
  if (data.length === 0) throw wrong(`${takes}: it is empty`);
  if (isFloat(spec.datatype) && spec.missing === undefined && !(data as Float64Array).every(Number.isFinite))
    throw wrong(`${takes}: a value is not finite`);
  return { datatype: spec.datatype, shape: [...shape], data };
}

function isDataOf(datatype: Datatype, data: unknown): data is TensorData {
  if (datatype === 'BYTES') return Array.isArray(data) && data.every((value) => typeof value === 'string');
  return ArrayBuffer.isView(data) && data.constructor === allocate(datatype, 0).constructor;
}

function arrayOf(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'list of strings' : allocate(datatype, 0).constructor.name;
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function wrong(why: string): InlayError {
  return new InlayError('TRANSFORM_FAILED', `the transform gives what the model does not take: ${why}`, {
    hint: 'inlay check replays the raw golden cases through it.',
  });
}
