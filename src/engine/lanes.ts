import type { Lane } from './batcher.ts';
import type { Engine } from './engine.ts';
import { WorkerLane } from './worker-lane.ts';

/** How a model is run on this machine, decided by measuring. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  /** `inline`: on the thread that answers requests; `worker`: on another, so that runs do not hold up probes. */
  readonly mode: 'inline' | 'worker';
  close(): void;
}

/** From here on a run is moved to a worker thread: handing it over costs about 0.1 ms. */
const HEAVY_MS = 1;

/**
 * Decides where the model runs, by what its warm-up runs took. A worker loads the model again; the first session is
 * closed then.
 * @throws as Session.load
 */
export async function openLanes(engine: Engine): Promise<Lanes> {
  if (engine.runMs < HEAVY_MS) return { lanes: [engine.session], mode: 'inline', close: () => engine.session.close() };
  const lane = await WorkerLane.start(engine.spec);
  await engine.close();
  return { lanes: [lane], mode: 'worker', close: () => lane.close() };
}
