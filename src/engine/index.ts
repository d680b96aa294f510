export { type BatchProof, type BatchState, proveBatch } from './batch-proof.ts';
export { Batcher, type BatcherOptions, type Job, type Lane, type QueueLimits } from './batcher.ts';
export { cpuLimit, threadsFor } from './cpu-limit.ts';
export { checkFinite, Engine, type EngineOptions } from './engine.ts';
export { type Lanes, loadForServing, openLanes } from './lanes.ts';
export { goldenMismatch, type Replay, replayGolden, sameTensor } from './replay.ts';
export { sliceRows } from './rows.ts';
export { newestOpset, RUNTIME_LIMITS } from './runtime-limits.ts';
export type { Answers, Feeds } from './session.ts';
