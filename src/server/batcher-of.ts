import type { Contract } from '../contract/index.ts';
import { Batcher, type BatchProof, type Engine, type Lanes } from '../engine/index.ts';
import type { Metrics } from './metrics.ts';
import { rowsOf } from './predict.ts';
import { stagedInput } from './predict-route.ts';
import type { Settings } from './settings.ts';

export interface BatcherParts {
  readonly contract: Contract;
  readonly engine: Engine;
  /** Undefined while it is not proven yet: until then each request is run alone. */
  readonly batch: BatchProof | undefined;
  readonly lanes: Lanes;
  readonly settings: Pick<Settings, 'maxQueueRows' | 'maxQueueMs' | 'maxRequestRows'>;
  readonly metrics: Metrics;
}

/** What runs a model's requests, as it was proven that they may be run. */
export function batcherOf({ contract, engine, batch, lanes, settings, metrics }: BatcherParts): Batcher {
  const batcher = new Batcher({
    lanes: lanes.lanes,
    names: [contract.prediction],
    maxRows: batch?.maxRows ?? 1,
    staged: stagedInput(contract),
    limits: {
      maxRows: settings.maxQueueRows,
      maxRequestRows: settings.maxRequestRows,
      maxWaitMs: settings.maxQueueMs,
    },
    triedRowMs: engine.runMs / rowsOf(engine.sample(), contract.inputs),
    watch: metrics,
  });
  metrics.queueRows = () => batcher.queuedRows;
  return batcher;
}
