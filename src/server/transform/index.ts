export { openTransform, startTransform, transformRoutes } from './lazy.ts';
export { openTransformer } from './open-transform.ts';
export { type RawReplay, rawExceeds, rawMismatch, replayRaw } from './replay-raw.ts';
export type { Transformer, TransformerOptions } from './transformer.ts';
export { startWatchdog } from './watchdog.ts';
