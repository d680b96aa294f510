import manifest from '../../../package.json' with { type: 'json' };
import type { TensorSpec } from '../../contract/index.ts';
import type { OipModel } from './model.ts';
import { PLATFORM } from './platform.ts';

/** What the server says of itself. */
export const SERVER_METADATA = {
  name: 'inlay',
  version: manifest.version,
  extensions: ['binary_tensor_data'],
} as const;

/** What the server says of its model: -1 is a free dimension. */
export function modelMetadata({ contract, inputs }: OipModel) {
  const tensors = (specs: readonly TensorSpec[]) =>
    specs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] }));
  return {
    name: contract.name,
    versions: [contract.version],
    platform: PLATFORM,
    inputs: tensors(inputs),
    outputs: tensors(contract.outputs),
  };
}
