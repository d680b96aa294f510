import type { Golden } from '../../contract/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import { guardAgainstStrays } from './guard.ts';
import { openTransformer } from './open-transform.ts';
import { rawExceeds, rawMismatch, replayRaw } from './replay-raw.ts';
import type { Transformer } from './transformer.ts';

export interface TransformStart {
  /** The folder of the bundle, which is the contract's. */
  readonly dir: string;
  readonly engine: Engine;
  /** Replayed where they are given: before any traffic, on this machine's CPU. */
  readonly golden: Golden | undefined;
  readonly settings: Settings;
  readonly log: Log;
}

/**
 * Loads a serving thread's transform and replays the raw golden cases through it, as requests go.
 * @throws TRANSFORM_INVALID; GOLDEN_MISMATCH, unless it was accepted when the image was built; as replayRaw
 */
export async function startTransform({ dir, engine, golden, settings, log }: TransformStart): Promise<Transformer> {
  guardAgainstStrays(log);
  const transformer = await openTransformer(dir, engine, settings);
  if (!golden) return transformer;
  const { contract } = engine;
  const file = contract.golden?.file ?? 'golden.json';
  const replay = await replayRaw(transformer, golden, (feeds, outputs) => engine.run(feeds, outputs), file, true);
  if (replay.worst && rawExceeds(replay)) {
    const mismatch = rawMismatch(replay.worst, file);
    if (!contract.accepted?.includes(mismatch.code)) throw mismatch;
    log.warning(mismatch.message, { code: mismatch.code, accepted: true });
  }
  return transformer;
}
