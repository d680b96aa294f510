export { type BatchProof, type BatchState, proveBatch } from './batch-proof.ts';
export { cpuLimit, threadsFor } from './cpu-limit.ts';
export { Engine, type EngineOptions } from './engine.ts';
export { goldenMismatch, type Replay, replayGolden, sameTensor } from './replay.ts';
export { newestOpset, RUNTIME_LIMITS } from './runtime-limits.ts';
export { type Answers, type Feeds } from './session.ts';
