export { createLog, type Log } from './log.ts';
export { readModelPaths } from './model-paths.ts';
export { openGrpc } from './open-grpc.ts';
export { openContract, openGolden } from './open-model.ts';
export { openPredictionSink } from './prediction-log/index.ts';
export { runServer } from './run-server.ts';
export { ModelServer } from './server.ts';
export { DEFAULT_SETTINGS, LOG_LEVELS, readSettings, type Settings } from './settings.ts';
export { openTransformer, rawExceeds, rawMismatch, replayRaw } from './transform/index.ts';
