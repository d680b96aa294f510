export { guardAgainstStrays } from './guard.ts';
export { openTransform, openTransformer } from './open-transform.ts';
export { type RawReplay, rawExceeds, rawMismatch, replayRaw } from './replay-raw.ts';
export { transformRoutes } from './routes.ts';
export { Transformer, type TransformerOptions } from './transformer.ts';
export { startWatchdog } from './watchdog.ts';
