export { type BatchProof, type BatchState, proveBatch } from './batch-proof.ts';
export { cpuLimit, threadsFor } from './cpu-limit.ts';
export { Engine, type EngineOptions, type Feeds } from './engine.ts';
export { goldenMismatch, type Replay, replayGolden, sameTensor } from './replay.ts';
export { newestOpset, RUNTIME_LIMITS } from './runtime-limits.ts';
