import type { Contract } from '../contract/index.ts';
import { Batcher, type BatchProof, type Lanes } from '../engine/index.ts';
import { stagedInput } from './model-routes.ts';

/** What runs a model's requests, as it was proven that they may be run. */
export function batcherOf(contract: Contract, batch: BatchProof, lanes: Lanes): Batcher {
  return new Batcher({
    lanes: lanes.lanes,
    names: [contract.prediction],
    maxRows: batch.maxRows,
    staged: stagedInput(contract),
  });
}
