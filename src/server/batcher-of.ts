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
  /** Told once, where rows that were proven to be of no matter to each other turn out to be. */
  readonly refuted: () => void;
}

/** What runs a model's requests, as it was proven that they may be run. */
export function batcherOf(parts: BatcherParts): Batcher {
  const { contract, engine, batch, lanes, settings, metrics, refuted } = parts;
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
    refuted,
  });
  metrics.queueRows = () => batcher.queuedRows;
  return batcher;
}
