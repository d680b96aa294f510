import { DATATYPES, type Tensor, type TensorSpec } from '../contract/index.ts';
import type { BatchProof } from '../engine/index.ts';
import type { Served } from './model-routes.ts';

/**
 * `/metadata`: datatypes in numpy's words, shapes of one row as `(1,4)`, the sample and what the model answers to it.
 * A model with several inputs has a value a name instead.
 */
export function metadataOf(
  { contract, lanes }: Pick<Served, 'contract' | 'lanes'>,
  batch: BatchProof | undefined,
  sampled: Tensor,
  samplePrediction: unknown,
): Record<string, unknown> {
  const output = contract.outputs.find((spec) => spec.name === contract.prediction) as TensorSpec;
  const [input, second] = contract.inputs;
  const each = <T>(value: (spec: TensorSpec) => T): T | Record<string, T> =>
    input && !second ? value(input) : Object.fromEntries(contract.inputs.map((spec) => [spec.name, value(spec)]));
  return {
    data_type: each((spec) => DATATYPES[spec.datatype].numpy),
    data_structure: each((spec) => structure(spec.shape)),
    data_sample: each((spec) => contract.sample.inputs[spec.name]),
    prediction_type: DATATYPES[output.datatype].numpy,
    prediction_structure: structure(sampled.shape),
    prediction_sample: samplePrediction,
    ...(contract.transform ? { transform: contract.transform } : {}),
    // How it is run here, decided by measuring at the start.
    execution: { batch: batch?.state ?? 'unproven', max_batch_rows: batch?.maxRows ?? 1, mode: lanes.mode },
  };
}

/** One row's shape; the other free dimensions stay free. */
function structure(shape: readonly number[]): string {
  return `(${shape.map((size, axis) => (size >= 0 ? size : axis === 0 ? 1 : -1)).join(',')})`;
}
