import { DATATYPES, type TensorSpec } from '../../contract/index.ts';
import { InlayError } from '../../error/index.ts';

/**
 * Holds a request's datatype and shape against what the model takes. Returns how many elements there are.
 * @throws INPUT_INVALID: another datatype or rank, a dimension of 0 or less, or one that the model fixes otherwise
 */
export function checkShape(spec: TensorSpec, datatype: string, shape: readonly number[]): number {
  const words = () => `input ${spec.name} takes ${spec.datatype} [${spec.shape.join(', ')}]`;
  if (datatype !== spec.datatype)
    throw new InlayError('INPUT_INVALID', `${words()}; this is ${JSON.stringify(datatype.slice(0, 40))}`, {
      hint: datatype in DATATYPES ? 'Nothing is converted: send the datatype of the model.' : undefined,
    });
  let count = 1;
  let fits = shape.length === spec.shape.length;
  for (let axis = 0; fits && axis < shape.length; axis++) {
    const size = shape[axis] as number;
    const fixed = spec.shape[axis] as number;
    fits = Number.isInteger(size) && size > 0 && (fixed < 0 || fixed === size);
    count *= size;
  }
  if (!fits || !Number.isSafeInteger(count))
    throw new InlayError('INPUT_INVALID', `${words()}; this has the shape [${shape.slice(0, 16).join(', ')}]`);
  return count;
}
