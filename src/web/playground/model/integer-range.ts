import type { TensorSpec } from '../../../contract/index.ts';

type Datatype = TensorSpec['datatype'];

export function isInteger(datatype: Datatype): boolean {
  return datatype.includes('INT');
}

/** What an integer datatype holds, as far as JSON's numbers are exact. */
export function integerRange(datatype: Datatype): readonly [number, number] {
  const bits = Number(datatype.replace(/\D/g, ''));
  const unsigned = datatype.startsWith('U');
  if (bits === 64) return [unsigned ? 0 : Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return unsigned ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}
