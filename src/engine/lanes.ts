import type { Lane } from './batcher.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { WorkerLane } from './worker-lane.ts';

/** How a model is run on this machine, decided by measuring. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  /** `inline`: on the thread that answers requests; `worker`: on another, so that runs do not hold up probes. */
  readonly mode: 'inline' | 'worker';
  /** Why the model can never be run again, where that is so. */
  broken(): string | undefined;
  close(): void;
}

/** From here on a run is moved to a worker thread: handing it over costs about 0.1 ms. */
const HEAVY_MS = 1;

/**
 * Loads a model for serving: a light one with a single thread, since handing parts of it to others takes longer than
 * they save; a heavy one with all the CPUs that there are.
 * @throws as Engine.load
 */
export async function loadForServing(spec: Omit<EngineOptions, 'threads'>, threads: number): Promise<Engine> {
  const engine = await Engine.load({ ...spec, threads: 1 });
  if (threads === 1 || engine.runMs < HEAVY_MS) return engine;
  await engine.close();
  const wide = await Engine.load({ ...spec, threads });
  if (wide.runMs < engine.runMs) return wide;
  await wide.close();
  return Engine.load({ ...spec, threads: 1 });
}

/**
 * Decides where the model runs, by what its warm-up runs took. A worker loads the model again; the first session is
 * closed then.
 * @throws as Session.load
 */
export async function openLanes(engine: Engine): Promise<Lanes> {
  if (engine.runMs < HEAVY_MS)
    return {
      lanes: [engine.session],
      mode: 'inline',
      broken: () => undefined,
      close: () => engine.session.close(),
    };
  const lane = await WorkerLane.start(engine.spec);
  await engine.close();
  // Twice: while it works on one run the next is on its way, so that it never waits for this thread.
  return { lanes: [lane, lane], mode: 'worker', broken: () => lane.ended?.message, close: () => lane.close() };
}
